/*
 * Five bodies move under gravity: square roots and divisions of doubles. Source: the n-body program of the Computer Language
 * Benchmarks Game, with its constants.
 */
#include <math.h>
#include <string.h>

#include "guest.h"

enum { BODIES = 5, STEPS = 500 };

typedef struct {
  double at[3], speed[3], mass;
} body;

static const double SOLAR_MASS = 39.47841760435743, YEAR = 365.24;
static body bodies[BODIES];

static void prepare(void) {
  static const body PLANETS[BODIES] = {
      {{0, 0, 0}, {0, 0, 0}, 1},
      {{4.84143144246472090e+00, -1.16032004402742839e+00, -1.03622044471123109e-01},
       {1.66007664274403694e-03, 7.69901118419740425e-03, -6.90460016972063023e-05}, 9.54791938424326609e-04},
      {{8.34336671824457987e+00, 4.12479856412430479e+00, -4.03523417114321381e-01},
       {-2.76742510726411899e-03, 4.99852801234917238e-03, 2.30417297573763929e-05}, 2.85885980666130812e-04},
      {{1.28943695621391310e+01, -1.51111514016986312e+01, -2.23307578892655734e-01},
       {2.96460137564761618e-03, 2.37847173959480950e-03, -2.96589568540237556e-05}, 4.36624404335156298e-05},
      {{1.53796971148509165e+01, -2.59193146099879641e+01, 1.79258772950371181e-01},
       {2.68067772490389322e-03, 1.62824170038242295e-03, -9.51592254519715870e-05}, 5.15138902046611451e-05},
  };
  memcpy(bodies, PLANETS, sizeof bodies);
  for (int i = 0; i < BODIES; i++) {
    bodies[i].mass *= SOLAR_MASS;
    for (int axis = 0; axis < 3; axis++) bodies[i].speed[axis] *= YEAR;
  }
  for (int i = 1; i < BODIES; i++) {
    for (int axis = 0; axis < 3; axis++) bodies[0].speed[axis] -= bodies[i].speed[axis] * bodies[i].mass / SOLAR_MASS;
  }
}

static void attract(body *a, body *b, double step) {
  double apart[3], square = 0;
  for (int axis = 0; axis < 3; axis++) {
    apart[axis] = a->at[axis] - b->at[axis];
    square += apart[axis] * apart[axis];
  }
  double pull = step / (square * sqrt(square));
  for (int axis = 0; axis < 3; axis++) {
    a->speed[axis] -= apart[axis] * b->mass * pull;
    b->speed[axis] += apart[axis] * a->mass * pull;
  }
}

static void advance(double step) {
  for (int i = 0; i < BODIES; i++) {
    for (int j = i + 1; j < BODIES; j++) attract(&bodies[i], &bodies[j], step);
  }
  for (int i = 0; i < BODIES; i++) {
    for (int axis = 0; axis < 3; axis++) bodies[i].at[axis] += step * bodies[i].speed[axis];
  }
}

RUN {
  uint32_t sum = 0;
  prepare();
  while (n-- > 0) {
    for (int step = 0; step < STEPS; step++) advance(0.01);
    sum = guest_mix(sum, (uint32_t)(int32_t)(bodies[1].at[0] * 1000000));
  }
  return sum;
}
