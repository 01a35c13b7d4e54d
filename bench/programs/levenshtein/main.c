// The edit distance of two long rows of bytes.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }

static int64_t distance(const uint8_t *a, int64_t n, const uint8_t *b, int64_t m) {
    int64_t *before = malloc((m + 1) * sizeof *before);
    for (int64_t i = 0; i <= m; i++) before[i] = i;
    for (int64_t i = 0; i < n; i++) {
        int64_t diagonal = before[0];
        before[0] = i + 1;
        for (int64_t j = 0; j < m; j++) {
            int64_t cost = a[i] == b[j] ? 0 : 1;
            int64_t best = min(min(diagonal + cost, before[j] + 1), before[j + 1] + 1);
            diagonal = before[j + 1];
            before[j + 1] = best;
        }
    }
    return before[m];
}

static uint8_t *bytes_of(int64_t n, uint64_t seed) {
    uint8_t *out = malloc(n);
    for (int64_t i = 0; i < n; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        out[i] = seed >> 60;
    }
    return out;
}

int main(void) {
    printf("%ld\n", (long)distance(bytes_of(10000, 1), 10000, bytes_of(9000, 2), 9000));
    return 0;
}
