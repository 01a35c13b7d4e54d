// Two matrices of floats are multiplied, row by row.
#include <stdio.h>
#include <stdlib.h>

static double **matrix(long n, double seed) {
    double **rows = malloc(n * sizeof *rows);
    for (long i = 0; i < n; i++) {
        rows[i] = malloc(n * sizeof **rows);
        for (long j = 0; j < n; j++) rows[i][j] = seed * (double)(i - j) * (double)(i + j);
    }
    return rows;
}

static double **multiply(double **a, double **b, long n) {
    double **out = malloc(n * sizeof *out);
    for (long i = 0; i < n; i++) {
        double *row = calloc(n, sizeof *row);
        for (long k = 0; k < n; k++) {
            double x = a[i][k], *from = b[k];
            for (long j = 0; j < n; j++) row[j] += x * from[j];
        }
        out[i] = row;
    }
    return out;
}

int main(void) {
    long n = 900;
    double **c = multiply(matrix(n, 1.0 / n), matrix(n, 2.0 / n), n);
    printf("%.6f\n", c[n / 2][n / 2]);
    return 0;
}
