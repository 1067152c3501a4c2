/*
 * Binary trees on the heap: the C library's malloc and free, and recursion over pointers.
 */
#include <stdlib.h>

#include "guest.h"

typedef struct node {
  struct node *left, *right;
} node;

static node *grow(int depth) {
  node *tree = malloc(sizeof *tree);
  if (tree == NULL) __builtin_trap();
  *tree = depth == 0 ? (node){NULL, NULL} : (node){grow(depth - 1), grow(depth - 1)};
  return tree;
}

static uint32_t fell(node *tree) {
  uint32_t count = tree == NULL ? 0 : 1 + fell(tree->left) + fell(tree->right);
  free(tree);
  return count;
}

RUN {
  uint32_t nodes = 0;
  while (n-- > 0) {
    node *kept = grow(10);
    for (int i = 0; i < 8; i++) nodes += fell(grow(8));
    nodes += fell(kept);
  }
  return nodes;
}
