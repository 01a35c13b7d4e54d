// Elements at their own width, nested loops.
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t primes_below(int64_t n) {
    bool *composite = calloc(n, 1);
    int64_t count = 0;
    for (int64_t i = 2; i < n; i++) {
        if (composite[i]) continue;
        count++;
        for (int64_t k = i * i; k < n; k += i) composite[k] = true;
    }
    free(composite);
    return count;
}

int main(void) {
    int64_t total = 0;
    for (int64_t round = 0; round < 5; round++) total += primes_below(10000000 + round);
    printf("%ld\n", (long)total);
    return 0;
}
