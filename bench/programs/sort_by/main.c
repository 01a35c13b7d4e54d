// A million points are sorted by a function with a context: nearest to a place first, of equally near ones the
// first made.
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    int64_t x, y, id;
} Point;

static int64_t distance(const Point *p, const Point *from) {
    return (p->x - from->x) * (p->x - from->x) + (p->y - from->y) * (p->y - from->y);
}

static int compare(const void *left, const void *right, void *from) {
    const Point *a = left, *b = right;
    int64_t da = distance(a, from), db = distance(b, from);
    if (da == db) return (a->id > b->id) - (a->id < b->id);
    return da < db ? -1 : 1;
}

int main(void) {
    int64_t n = 1000000;
    Point *points = malloc(n * sizeof *points);
    uint64_t seed = 5;
    for (int64_t id = 0; id < n; id++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        points[id] = (Point){(seed >> 33) % 1000, (seed >> 48) % 1000, id};
    }
    for (int64_t round = 0; round < 2; round++) {
        Point from = {500 - round * 300, 200 + round * 100, 0};
        qsort_r(points, n, sizeof *points, compare, &from);
        int64_t check = 0;
        for (int64_t i = 0; i < n; i++) check = (check * 31 + points[i].id) % 1000003;
        printf("%ld\n", (long)check);
    }
    free(points);
    return 0;
}
