// Floating point over objects reached by pointers.
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    double x, y, z, vx, vy, vz, mass;
} Body;

#define PI 3.141592653589793
#define SOLAR_MASS (4.0 * PI * PI)
#define DAYS 365.24

static Body *planet(double x, double y, double z, double vx, double vy, double vz, double mass) {
    Body *body = malloc(sizeof *body);
    *body = (Body){x, y, z, vx * DAYS, vy * DAYS, vz * DAYS, mass * SOLAR_MASS};
    return body;
}

static void offset_momentum(Body **bodies, int64_t n) {
    Body *sun = bodies[0];
    for (int64_t i = 0; i < n; i++) {
        Body *body = bodies[i];
        sun->vx -= body->vx * body->mass / SOLAR_MASS;
        sun->vy -= body->vy * body->mass / SOLAR_MASS;
        sun->vz -= body->vz * body->mass / SOLAR_MASS;
    }
}

static double energy(Body **bodies, int64_t n) {
    double e = 0.0;
    for (int64_t i = 0; i < n; i++) {
        Body *a = bodies[i];
        e += 0.5 * a->mass * (a->vx * a->vx + a->vy * a->vy + a->vz * a->vz);
        for (int64_t j = i + 1; j < n; j++) {
            Body *b = bodies[j];
            double dx = a->x - b->x, dy = a->y - b->y, dz = a->z - b->z;
            e -= a->mass * b->mass / sqrt(dx * dx + dy * dy + dz * dz);
        }
    }
    return e;
}

static void advance(Body **bodies, int64_t n, double dt) {
    for (int64_t i = 0; i < n; i++) {
        Body *a = bodies[i];
        for (int64_t j = i + 1; j < n; j++) {
            Body *b = bodies[j];
            double dx = a->x - b->x, dy = a->y - b->y, dz = a->z - b->z;
            double squared = dx * dx + dy * dy + dz * dz;
            double mag = dt / (squared * sqrt(squared));
            a->vx -= dx * b->mass * mag;
            a->vy -= dy * b->mass * mag;
            a->vz -= dz * b->mass * mag;
            b->vx += dx * a->mass * mag;
            b->vy += dy * a->mass * mag;
            b->vz += dz * a->mass * mag;
        }
    }
    for (int64_t i = 0; i < n; i++) {
        Body *body = bodies[i];
        body->x += dt * body->vx;
        body->y += dt * body->vy;
        body->z += dt * body->vz;
    }
}

int main(void) {
    Body *bodies[5] = {
        planet(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0),
        planet(4.84143144246472090e+00, -1.16032004402742839e+00, -1.03622044471123109e-01,
               1.66007664274403694e-03, 7.69901118419740425e-03, -6.90460016972063023e-05, 9.54791938424326609e-04),
        planet(8.34336671824457987e+00, 4.12479856412430479e+00, -4.03523417114321381e-01,
               -2.76742510726411899e-03, 4.99852801234917238e-03, 2.30417297573763929e-05, 2.85885980666130812e-04),
        planet(1.28943695621391310e+01, -1.51111514016986312e+01, -2.23307578892655734e-01,
               2.96460137564761618e-03, 2.37847173959480950e-03, -2.96589568540237556e-05, 4.36624404335156298e-05),
        planet(1.53796971148509165e+01, -2.59193146099879641e+01, 1.79258772950371181e-01,
               2.68067772490389322e-03, 1.62824170038242295e-03, -9.51592254519715870e-05, 5.15138902046611451e-05),
    };
    offset_momentum(bodies, 5);
    printf("%.9f\n", energy(bodies, 5));
    for (int64_t i = 0; i < 5000000; i++) advance(bodies, 5, 0.01);
    printf("%.9f\n", energy(bodies, 5));
    for (int i = 0; i < 5; i++) free(bodies[i]);
    return 0;
}
