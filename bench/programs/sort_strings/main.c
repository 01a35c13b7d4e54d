// Half a million strings are sorted by the library.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

int main(void) {
    int64_t n = 500000, check = 0;
    char **words = malloc(n * sizeof *words);
    uint64_t seed = 3;
    for (int64_t i = 0; i < n; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        size_t size = 4 + (seed >> 60);
        words[i] = malloc(size + 1);
        for (size_t k = 0; k < size; k++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            words[i][k] = 'a' + (seed >> 33) % 26;
        }
        words[i][size] = 0;
    }
    qsort(words, n, sizeof *words, compare);
    for (int64_t i = 0; i < n; i++)
        check = (check * 31 + (int64_t)strlen(words[i]) * 256 + words[i][2]) % 1000003;
    printf("%s %s %s %ld\n", words[0], words[n / 2], words[n - 1], (long)check);
    for (int64_t i = 0; i < n; i++) free(words[i]);
    free(words);
    return 0;
}
