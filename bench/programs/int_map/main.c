// A map from integers that keeps the order of insertion: three million insertions and changes, then as many
// look-ups.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    uint64_t hash;
    int64_t key, value;
} Entry;

typedef struct {
    Entry *entries;
    size_t size, cap;
    uint32_t *slots; // one more than the entry's index; open addressing
    size_t mask;
} Map;

static uint64_t hash(int64_t key) { // by folding a product
    __uint128_t p = (__uint128_t)((uint64_t)key ^ 0x243f6a8885a308d3u) * 0x9e3779b97f4a7c15u;
    return (uint64_t)p ^ (uint64_t)(p >> 64);
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

static Entry *find(const Map *map, int64_t key, size_t *at) {
    uint64_t h = hash(key);
    for (*at = h & map->mask; map->slots[*at]; *at = (*at + 1) & map->mask) {
        Entry *e = &map->entries[map->slots[*at] - 1];
        if (e->hash == h && e->key == key) return e;
    }
    return NULL;
}

static int64_t *entry(Map *map, int64_t key) {
    if (map->size * 2 >= map->mask) rehash(map, map->mask ? (map->mask + 1) * 2 : 16);
    size_t at;
    Entry *known = find(map, key, &at);
    if (known) return &known->value;
    if (map->size == map->cap) {
        map->cap = map->cap ? map->cap * 2 : 8;
        map->entries = realloc(map->entries, map->cap * sizeof *map->entries);
    }
    map->entries[map->size] = (Entry){hash(key), key, 0};
    map->slots[at] = ++map->size;
    return &map->entries[map->size - 1].value;
}

int main(void) {
    Map counts = {0};
    uint64_t seed = 1;
    for (int i = 0; i < 3000000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        ++*entry(&counts, (int64_t)((seed >> 40) % 500000));
    }
    int64_t found = 0;
    for (int64_t key = 0; key < 3000000; key++) {
        size_t at;
        Entry *e = find(&counts, key % 700000, &at);
        found += e ? e->value : 0;
    }
    printf("%zu %ld\n", counts.size, (long)found);
    return 0;
}
