/*
 * An interpreter's loop: a register machine runs a program that adds up the lengths of Collatz sequences.
 */
#include "guest.h"

typedef enum { SET, MOVE, ADD, SUBTRACT, MULTIPLY, SHIFT, AND, OR, XOR, JUMP, IF_ZERO, IF_EQUAL, IF_LESS, PUSH, POP, HALT } opcode;

typedef struct {
  uint8_t opcode, target, left, right;
} instruction;

enum { START, LENGTH, LIMIT, NUMBER, ONE, THREE, BIT, REGISTERS, DEPTH = 16 };

static const instruction PROGRAM[] = {
    /*  0 */ {SET, LENGTH, 0, 0},
    /*  1 */ {SET, ONE, 1, 0},
    /*  2 */ {SET, THREE, 3, 0},
    /*  3 */ {SET, START, 1, 0},
    /*  4 the next sequence */ {IF_LESS, 6, START, LIMIT},
    /*  5 */ {HALT, 0, LENGTH, 0},
    /*  6 */ {MOVE, NUMBER, START, 0},
    /*  7 the next number */ {IF_EQUAL, 16, NUMBER, ONE},
    /*  8 */ {ADD, LENGTH, LENGTH, ONE},
    /*  9 */ {AND, BIT, NUMBER, ONE},
    /* 10 */ {IF_ZERO, 14, BIT, 0},
    /* 11 */ {MULTIPLY, NUMBER, NUMBER, THREE},
    /* 12 */ {ADD, NUMBER, NUMBER, ONE},
    /* 13 */ {JUMP, 7, 0, 0},
    /* 14 */ {SHIFT, NUMBER, NUMBER, ONE},
    /* 15 */ {JUMP, 7, 0, 0},
    /* 16 */ {ADD, START, START, ONE},
    /* 17 */ {JUMP, 4, 0, 0},
};

static uint32_t interpret(const instruction *program, uint32_t limit) {
  uint32_t registers[REGISTERS] = {[LIMIT] = limit}, stack[DEPTH];
  uint32_t top = 0;
  for (const instruction *at = program;;) {
    const instruction now = *at++;
    uint32_t *target = &registers[now.target % REGISTERS];
    uint32_t left = registers[now.left % REGISTERS], right = registers[now.right % REGISTERS];
    switch ((opcode)now.opcode) {
      case SET: *target = now.left; break;
      case MOVE: *target = left; break;
      case ADD: *target = left + right; break;
      case SUBTRACT: *target = left - right; break;
      case MULTIPLY: *target = left * right; break;
      case SHIFT: *target = left >> (right & 31); break;
      case AND: *target = left & right; break;
      case OR: *target = left | right; break;
      case XOR: *target = left ^ right; break;
      case JUMP: at = program + now.target; break;
      case IF_ZERO: if (left == 0) at = program + now.target; break;
      case IF_EQUAL: if (left == right) at = program + now.target; break;
      case IF_LESS: if (left < right) at = program + now.target; break;
      case PUSH: stack[top++ % DEPTH] = left; break;
      case POP: *target = stack[--top % DEPTH]; break;
      case HALT: return left;
    }
  }
}

RUN {
  uint32_t sum = 0;
  while (n-- > 0) sum += interpret(PROGRAM, 300);
  return sum;
}
