// A map from strings that keeps the order of insertion: two million changes of 200,000 keys, then as many look-ups.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    char *data;
    size_t size;
} Text;

typedef struct {
    uint64_t hash;
    Text key;
    int64_t value;
} Entry;

typedef struct {
    Entry *entries;
    size_t size, cap;
    uint32_t *slots; // one more than the entry's index; open addressing
    size_t mask;
} Map;

static uint64_t hash(Text key) { // FNV-1a
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < key.size; i++) h = (h ^ (unsigned char)key.data[i]) * 1099511628211u;
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

static Entry *find(const Map *map, Text key, uint64_t h, size_t *at) {
    for (*at = h & map->mask; map->slots[*at]; *at = (*at + 1) & map->mask) {
        Entry *e = &map->entries[map->slots[*at] - 1];
        if (e->hash == h && e->key.size == key.size && memcmp(e->key.data, key.data, key.size) == 0) return e;
    }
    return NULL;
}

static int64_t *entry(Map *map, Text key) {
    if (map->size * 2 >= map->mask) rehash(map, map->mask ? (map->mask + 1) * 2 : 16);
    size_t at;
    uint64_t h = hash(key);
    Entry *known = find(map, key, h, &at);
    if (known) return &known->value;
    if (map->size == map->cap) {
        map->cap = map->cap ? map->cap * 2 : 8;
        map->entries = realloc(map->entries, map->cap * sizeof *map->entries);
    }
    map->entries[map->size] = (Entry){h, key, 0};
    map->slots[at] = ++map->size;
    return &map->entries[map->size - 1].value;
}

static Text *keys_of(int64_t n, const char *word) {
    Text *keys = malloc(n * sizeof *keys);
    for (int64_t i = 0; i < n; i++) {
        char text[64];
        size_t size = sprintf(text, "%s%ld", word, (long)i);
        keys[i] = (Text){memcpy(malloc(size), text, size), size};
    }
    return keys;
}

static uint64_t next(uint64_t seed) { return seed * 6364136223846793005u + 1442695040888963407u; }

int main(void) {
    Text *known = keys_of(200000, "known key "), *unknown = keys_of(50000, "unknown key ");
    Map counts = {0};
    uint64_t seed = 1;
    for (int i = 0; i < 2000000; i++) {
        seed = next(seed);
        ++*entry(&counts, known[(seed >> 40) % 200000]);
    }
    int64_t found = 0;
    for (int64_t i = 0; i < 2000000; i++) {
        seed = next(seed);
        size_t at = (seed >> 40) % 250000;
        Text key = at < 200000 ? known[at] : unknown[at - 200000];
        Entry *e = find(&counts, key, hash(key), &(size_t){0});
        found += (e ? e->value : 0) * (i % 7);
    }
    printf("%zu %ld\n", counts.size, (long)found);
    return 0;
}
