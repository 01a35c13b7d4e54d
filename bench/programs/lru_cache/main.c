// A cache that forgets what was used longest ago: a map for finding, a doubly linked list for the order.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define NOWHERE (-1)

typedef struct {
    int64_t key, value, before, after;
} Node;

// From keys to places: open addressing; what is behind a deleted key moves up.
typedef struct {
    int64_t key, place; // a place of NOWHERE: nothing is here
} Slot;

typedef struct {
    int64_t capacity, size, newest, oldest;
    Node *nodes;
    Slot *slots;
    size_t mask;
} Cache;

static size_t home(const Cache *cache, int64_t key) {
    __uint128_t p = (__uint128_t)((uint64_t)key ^ 0x243f6a8885a308d3u) * 0x9e3779b97f4a7c15u;
    return ((uint64_t)p ^ (uint64_t)(p >> 64)) & cache->mask;
}

static Slot *find(const Cache *cache, int64_t key) {
    size_t at = home(cache, key);
    while (cache->slots[at].place != NOWHERE && cache->slots[at].key != key) at = (at + 1) & cache->mask;
    return &cache->slots[at];
}

static void delete(Cache *cache, int64_t key) {
    size_t gap = find(cache, key) - cache->slots;
    for (size_t at = (gap + 1) & cache->mask; cache->slots[at].place != NOWHERE; at = (at + 1) & cache->mask) {
        size_t from = home(cache, cache->slots[at].key);
        if (((at - from) & cache->mask) < ((at - gap) & cache->mask)) continue;
        cache->slots[gap] = cache->slots[at];
        gap = at;
    }
    cache->slots[gap].place = NOWHERE;
}

static void link_in(Cache *cache, int64_t place) {
    Node *node = &cache->nodes[place];
    node->before = NOWHERE;
    node->after = cache->newest;
    if (cache->newest != NOWHERE) cache->nodes[cache->newest].before = place;
    cache->newest = place;
    if (cache->oldest == NOWHERE) cache->oldest = place;
}

static void unlink_from(Cache *cache, int64_t place) {
    Node *node = &cache->nodes[place];
    if (node->before == NOWHERE) cache->newest = node->after;
    else cache->nodes[node->before].after = node->after;
    if (node->after == NOWHERE) cache->oldest = node->before;
    else cache->nodes[node->after].before = node->before;
}

static void touch(Cache *cache, int64_t place) {
    if (place == cache->newest) return;
    unlink_from(cache, place);
    link_in(cache, place);
}

static int64_t *get(Cache *cache, int64_t key) {
    Slot *slot = find(cache, key);
    if (slot->place == NOWHERE) return NULL;
    touch(cache, slot->place);
    return &cache->nodes[slot->place].value;
}

static void put(Cache *cache, int64_t key, int64_t value) {
    int64_t known = find(cache, key)->place;
    if (known != NOWHERE) {
        cache->nodes[known].value = value;
        touch(cache, known);
        return;
    }
    int64_t place = cache->size;
    if (place < cache->capacity) {
        cache->size++;
    } else {
        place = cache->oldest;
        unlink_from(cache, place);
        delete(cache, cache->nodes[place].key);
    }
    cache->nodes[place].key = key;
    cache->nodes[place].value = value;
    *find(cache, key) = (Slot){key, place};
    link_in(cache, place);
}

int main(void) {
    Cache cache = {.capacity = 50000, .newest = NOWHERE, .oldest = NOWHERE, .mask = (1 << 17) - 1};
    cache.nodes = malloc(cache.capacity * sizeof *cache.nodes);
    cache.slots = malloc((cache.mask + 1) * sizeof *cache.slots);
    for (size_t i = 0; i <= cache.mask; i++) cache.slots[i].place = NOWHERE;
    int64_t hits = 0, sum = 0;
    uint64_t seed = 9;
    for (int64_t i = 0; i < 6000000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        // Small keys are asked for more often.
        uint64_t a = (seed >> 40) % 400, b = (seed >> 20) % 400;
        int64_t key = a * b, *value = get(&cache, key);
        if (value) {
            hits++;
            sum = (sum + *value) % 1000003;
        } else {
            put(&cache, key, i);
        }
    }
    printf("%ld %ld %ld\n", (long)cache.size, (long)hits, (long)sum);
    free(cache.nodes);
    free(cache.slots);
    return 0;
}
