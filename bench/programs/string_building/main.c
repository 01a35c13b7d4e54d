// Text is put together from pieces and numbers, then read byte by byte.
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

int main(void) {
    int64_t total = 0;
    for (int64_t round = 0; round < 5; round++) {
        Buffer out = {0};
        for (int64_t i = 0; i < 1000000; i++) {
            push_text(&out, "item ");
            push_number(&out, i + round);
            push_text(&out, i % 2 == 0 ? ", even\n" : ", odd\n");
        }
        int64_t sum = 0;
        for (size_t i = 0; i < out.size; i++) sum = (sum * 31 + (unsigned char)out.data[i]) % 1000003;
        total += sum + out.size;
        free(out.data);
    }
    printf("%ld\n", (long)total);
    return 0;
}
