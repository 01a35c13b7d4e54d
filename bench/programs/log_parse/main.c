// A server's log is taken apart line by line, without regular expressions, and summed up.
#include <stdbool.h>
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

static void push_text(Buffer *out, const char *text) { push(out, text, strlen(text)); }

static void push_number(Buffer *out, int64_t n) {
    char digits[20];
    int at = 20;
    do digits[--at] = '0' + n % 10;
    while (n /= 10);
    push(out, digits + at, 20 - at);
}

// A part of another text.
typedef struct {
    const char *data;
    size_t size;
} Slice;

typedef struct {
    int64_t requests, bytes, failures, slowest;
} Usage;

typedef struct {
    uint64_t hash;
    char *key;
    size_t size;
    Usage value;
} Bucket;

typedef struct {
    Bucket *buckets;
    size_t size, cap;
    uint32_t *slots; // one more than the bucket's index; open addressing
    size_t mask;
} Map;

static uint64_t hash(Slice key) { // FNV-1a
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < key.size; i++) h = (h ^ (unsigned char)key.data[i]) * 1099511628211u;
    return h;
}

static void rehash(Map *map, size_t slots) {
    free(map->slots);
    map->slots = calloc(slots, sizeof *map->slots);
    map->mask = slots - 1;
    for (size_t i = 0; i < map->size; i++) {
        size_t at = map->buckets[i].hash & map->mask;
        while (map->slots[at]) at = (at + 1) & map->mask;
        map->slots[at] = i + 1;
    }
}

static Usage *entry_of(Map *map, Slice key) {
    if (map->size * 2 >= map->mask) rehash(map, map->mask ? (map->mask + 1) * 2 : 16);
    uint64_t h = hash(key);
    size_t at = h & map->mask;
    for (; map->slots[at]; at = (at + 1) & map->mask) {
        Bucket *b = &map->buckets[map->slots[at] - 1];
        if (b->hash == h && b->size == key.size && memcmp(b->key, key.data, key.size) == 0) return &b->value;
    }
    if (map->size == map->cap) {
        map->cap = map->cap ? map->cap * 2 : 8;
        map->buckets = realloc(map->buckets, map->cap * sizeof *map->buckets);
    }
    char *copy = malloc(key.size + 1);
    memcpy(copy, key.data, key.size);
    copy[key.size] = 0;
    map->buckets[map->size] = (Bucket){h, copy, key.size, {0, 0, 0, 0}};
    map->slots[at] = ++map->size;
    return &map->buckets[map->size - 1].value;
}

typedef struct {
    Slice path;
    int64_t hour, status, bytes, micros;
} Entry;

static bool number(Slice text, int64_t *out) {
    if (text.size == 0) return false;
    int64_t n = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') return false;
        n = n * 10 + (text.data[i] - '0');
    }
    *out = n;
    return true;
}

// `2026-03-14T12:34:56 host-7 GET /items/31?page=2 200 5321 812us`
static bool parse(Slice line, Entry *out) {
    Slice fields[7];
    int count = 0;
    for (const char *at = line.data, *end = line.data + line.size;;) {
        const char *space = memchr(at, ' ', end - at);
        if (count == 7) return false;
        fields[count++] = (Slice){at, (space ? space : end) - at};
        if (!space) break;
        at = space + 1;
    }
    if (count != 7 || fields[0].size < 13) return false;
    const char *query = memchr(fields[3].data, '?', fields[3].size);
    out->path = (Slice){fields[3].data, query ? (size_t)(query - fields[3].data) : fields[3].size};
    Slice last = fields[6];
    if (last.size < 2 || memcmp(last.data + last.size - 2, "us", 2) != 0) return false;
    last.size -= 2;
    return number((Slice){fields[0].data + 11, 2}, &out->hour) && number(fields[4], &out->status) &&
           number(fields[5], &out->bytes) && number(last, &out->micros);
}

static Buffer example(int64_t lines) {
    Buffer out = {0};
    uint64_t seed = 11;
    for (int64_t i = 0; i < lines; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        int64_t x = seed >> 33;
        if (x % 100 == 7) {
            push_text(&out, "# rotated\n");
            continue;
        }
        int64_t status = x % 17 == 0 ? 500 : x % 5 == 0 ? 404 : 200;
        push_text(&out, "2026-03-14T");
        push_text(&out, i * 24 / lines < 10 ? "0" : "");
        push_number(&out, i * 24 / lines);
        push_text(&out, ":34:56 host-");
        push_number(&out, x % 8);
        push_text(&out, " GET /items/");
        push_number(&out, x % 1000);
        if (x % 3 == 0) {
            push_text(&out, "?page=");
            push_number(&out, x % 9);
        }
        push_text(&out, " ");
        push_number(&out, status);
        push_text(&out, " ");
        push_number(&out, x % 10000);
        push_text(&out, " ");
        push_number(&out, x % 2000000 / 7);
        push_text(&out, "us\n");
    }
    return out;
}

int main(void) {
    Buffer text = example(1000000);
    Map usage = {0};
    int64_t per_hour[24] = {0}, skipped = 0;
    for (const char *at = text.data, *end = text.data + text.size;;) {
        const char *newline = memchr(at, '\n', end - at);
        Entry entry;
        if (parse((Slice){at, (newline ? newline : end) - at}, &entry)) {
            per_hour[entry.hour]++;
            Usage *known = entry_of(&usage, entry.path);
            known->requests++;
            known->bytes += entry.bytes;
            known->failures += entry.status >= 400;
            if (entry.micros > known->slowest) known->slowest = entry.micros;
        } else {
            skipped++;
        }
        if (!newline) break;
        at = newline + 1;
    }
    Bucket *worst = NULL;
    int64_t bytes = 0;
    for (size_t i = 0; i < usage.size; i++) {
        Bucket *b = &usage.buckets[i];
        bytes += b->value.bytes;
        if (!worst || b->value.failures > worst->value.failures ||
            (b->value.failures == worst->value.failures && strcmp(b->key, worst->key) < 0))
            worst = b;
    }
    printf("%zu paths, %ld bytes, %ld lines skipped, %ld in the last hour\n", usage.size, (long)bytes, (long)skipped,
           (long)per_hour[23]);
    printf("%s: %ld of %ld failed, the slowest took %ld us\n", worst->key, (long)worst->value.failures,
           (long)worst->value.requests, (long)worst->value.slowest);
    for (size_t i = 0; i < usage.size; i++) free(usage.buckets[i].key);
    free(usage.buckets);
    free(usage.slots);
    free(text.data);
    return 0;
}
