// Two million integers are sorted by merging, written out.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static void sort(int64_t *v, int64_t *work, int64_t from, int64_t to) {
    if (to - from < 2) return;
    int64_t middle = (from + to) / 2;
    sort(v, work, from, middle);
    sort(v, work, middle, to);
    int64_t a = from, b = middle;
    for (int64_t i = from; i < to; i++)
        work[i] = a < middle && (b >= to || v[a] <= v[b]) ? v[a++] : v[b++];
    for (int64_t i = from; i < to; i++) v[i] = work[i];
}

int main(void) {
    int64_t n = 2000000;
    int64_t *v = malloc(n * sizeof *v), *work = calloc(n, sizeof *work);
    uint64_t seed = 7;
    for (int64_t i = 0; i < n; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        v[i] = seed >> 34;
    }
    sort(v, work, 0, n);
    int64_t check = 0;
    for (int64_t i = 0; i < n; i++) check = (check * 31 + v[i]) % 1000003;
    printf("%ld\n", (long)check);
    return 0;
}
