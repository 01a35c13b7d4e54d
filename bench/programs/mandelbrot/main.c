// How many points of a grid stay near zero for 100 steps.
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

static bool stays(double cr, double ci) {
    double zr = 0, zi = 0;
    for (int64_t step = 0; step < 100; step++) {
        double r = zr * zr, i = zi * zi;
        if (r + i > 4) return false;
        zi = 2 * zr * zi + ci;
        zr = r - i + cr;
    }
    return true;
}

int main(void) {
    int64_t n = 1600, inside = 0;
    for (int64_t y = 0; y < n; y++)
        for (int64_t x = 0; x < n; x++) inside += stays(3.0 * x / n - 2.0, 2.0 * y / n - 1.0);
    printf("%ld\n", (long)inside);
    return 0;
}
