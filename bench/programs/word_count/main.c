// A text of words is made, cut at its spaces and counted in a map that keeps the order of insertion.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    char *data;
    size_t size, cap;
} Buffer;

static void push(Buffer *out, const char *bytes, size_t n) {
    if (out->size + n > out->cap) {
        while (out->size + n > out->cap) out->cap = out->cap ? out->cap * 2 : 16;
        out->data = realloc(out->data, out->cap);
    }
    memcpy(out->data + out->size, bytes, n);
    out->size += n;
}

static void push_number(Buffer *out, uint64_t n) {
    char digits[20];
    int at = 20;
    do digits[--at] = '0' + n % 10;
    while (n /= 10);
    push(out, digits + at, 20 - at);
}

typedef struct {
    uint64_t hash;
    char *key;
    size_t size;
    int64_t value;
} Entry;

typedef struct {
    Entry *entries;
    size_t size, cap;
    uint32_t *slots; // one more than the entry's index; open addressing
    size_t mask;
} Map;

static uint64_t hash(const char *key, size_t n) { // FNV-1a
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < n; i++) h = (h ^ (unsigned char)key[i]) * 1099511628211u;
    return h;
}

static void rehash(Map *map, size_t slots) {
    free(map->slots);
    map->slots = calloc(slots, sizeof *map->slots);
    map->mask = slots - 1;
    for (size_t i = 0; i < map->size; i++) {
        size_t at = map->entries[i].hash & map->mask;
        while (map->slots[at]) at = (at + 1) & map->mask;
        map->slots[at] = i + 1;
    }
}

static int64_t *entry(Map *map, const char *key, size_t n) {
    if (map->size * 2 >= map->mask) rehash(map, map->mask ? (map->mask + 1) * 2 : 16);
    uint64_t h = hash(key, n);
    size_t at = h & map->mask;
    for (; map->slots[at]; at = (at + 1) & map->mask) {
        Entry *e = &map->entries[map->slots[at] - 1];
        if (e->hash == h && e->size == n && memcmp(e->key, key, n) == 0) return &e->value;
    }
    if (map->size == map->cap) {
        map->cap = map->cap ? map->cap * 2 : 8;
        map->entries = realloc(map->entries, map->cap * sizeof *map->entries);
    }
    char *copy = malloc(n);
    memcpy(copy, key, n);
    map->entries[map->size] = (Entry){h, copy, n, 0};
    map->slots[at] = ++map->size;
    return &map->entries[map->size - 1].value;
}

int main(void) {
    Buffer text = {0};
    uint64_t seed = 42;
    for (int64_t i = 0; i < 5000000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        uint64_t n = (seed >> 33) % 5000;
        n = n * n / 5000;
        push(&text, "w", 1);
        push_number(&text, n);
        push(&text, " ", 1);
    }
    Map counts = {0};
    size_t start = 0;
    for (size_t i = 0; i <= text.size; i++) {
        if (i < text.size && text.data[i] != ' ') continue;
        if (i > start) ++*entry(&counts, text.data + start, i - start);
        start = i + 1;
    }
    Entry *top = NULL;
    for (size_t i = 0; i < counts.size; i++) {
        if (!top || counts.entries[i].value > top->value) top = &counts.entries[i];
    }
    printf("%zu words, the most frequent is %.*s with %ld\n", counts.size, (int)top->size, top->key,
           (long)top->value);
    for (size_t i = 0; i < counts.size; i++) free(counts.entries[i].key);
    free(counts.entries);
    free(counts.slots);
    free(text.data);
    return 0;
}
