// Pancakes flipped in every order of the first ten numbers: the Benchmarks Game's fannkuch.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t flips(int64_t n, const int64_t *order, int64_t *work) {
    for (int64_t i = 0; i < n; i++) work[i] = order[i];
    int64_t count = 0;
    while (work[0] != 0) {
        int64_t low = 0, high = work[0];
        while (low < high) {
            int64_t x = work[low];
            work[low++] = work[high];
            work[high--] = x;
        }
        count++;
    }
    return count;
}

int main(void) {
    int64_t n = 10, most = 0, checksum = 0, r = n;
    int64_t *order = malloc(n * 8), *work = calloc(n, 8), *turns = calloc(n, 8);
    for (int64_t i = 0; i < n; i++) order[i] = i;
    int even = 1;
    for (;;) {
        for (; r != 1; r--) turns[r - 1] = r;
        int64_t count = flips(n, order, work);
        if (count > most) most = count;
        checksum += even ? count : -count;
        even = !even;
        for (;;) {
            if (r == n) {
                printf("%ld %ld\n", (long)checksum, (long)most);
                return 0;
            }
            int64_t first = order[0];
            for (int64_t i = 0; i < r; i++) order[i] = order[i + 1];
            order[r] = first;
            if (--turns[r] > 0) break;
            r++;
        }
    }
}
