// The spectral norm of an infinite matrix, cut off: the Benchmarks Game's.
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static double entry(int64_t i, int64_t j) { return 1.0 / (double)((i + j) * (i + j + 1) / 2 + i + 1); }

static void times(int64_t n, const double *v, double *out) {
    for (int64_t i = 0; i < n; i++) {
        double sum = 0;
        for (int64_t j = 0; j < n; j++) sum += entry(i, j) * v[j];
        out[i] = sum;
    }
}

static void times_transposed(int64_t n, const double *v, double *out) {
    for (int64_t i = 0; i < n; i++) {
        double sum = 0;
        for (int64_t j = 0; j < n; j++) sum += entry(j, i) * v[j];
        out[i] = sum;
    }
}

int main(void) {
    int64_t n = 2000;
    double *u = malloc(n * sizeof *u), *v = calloc(n, sizeof *v), *t = calloc(n, sizeof *t);
    for (int64_t i = 0; i < n; i++) u[i] = 1;
    for (int i = 0; i < 10; i++) {
        times(n, u, t);
        times_transposed(n, t, v);
        times(n, v, t);
        times_transposed(n, t, u);
    }
    double vbv = 0, vv = 0;
    for (int64_t i = 0; i < n; i++) {
        vbv += u[i] * v[i];
        vv += v[i] * v[i];
    }
    printf("%.9f\n", sqrt(vbv / vv));
    return 0;
}
