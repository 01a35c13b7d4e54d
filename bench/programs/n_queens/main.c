// In how many ways thirteen queens stand on a board without seeing each other.
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t place(int64_t row, int64_t n, bool *columns, bool *rising, bool *falling) {
    if (row == n) return 1;
    int64_t ways = 0;
    for (int64_t c = 0; c < n; c++)
        if (!(columns[c] || rising[row + c] || falling[row - c + n])) {
            columns[c] = rising[row + c] = falling[row - c + n] = true;
            ways += place(row + 1, n, columns, rising, falling);
            columns[c] = rising[row + c] = falling[row - c + n] = false;
        }
    return ways;
}

int main(void) {
    int64_t n = 13;
    printf("%ld\n", (long)place(0, n, calloc(n, 1), calloc(2 * n, 1), calloc(2 * n, 1)));
    return 0;
}
