// JSON is parsed into a tree, summed up and printed again.
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    char *data;
    size_t size, cap;
} Text;

static void push_bytes(Text *out, const char *bytes, size_t n) {
    if (out->size + n > out->cap) {
        while (out->size + n > out->cap) out->cap = out->cap ? out->cap * 2 : 16;
        out->data = realloc(out->data, out->cap);
    }
    memcpy(out->data + out->size, bytes, n);
    out->size += n;
}

static void push_text(Text *out, const char *text) { push_bytes(out, text, strlen(text)); }

static void push_byte(Text *out, char c) {
    if (out->size == out->cap) {
        out->cap = out->cap ? out->cap * 2 : 16;
        out->data = realloc(out->data, out->cap);
    }
    out->data[out->size++] = c;
}

static void push_number(Text *out, int64_t n) {
    char digits[20];
    int at = 20;
    uint64_t rest = n < 0 ? -(uint64_t)n : (uint64_t)n;
    do digits[--at] = '0' + rest % 10;
    while (rest /= 10);
    if (n < 0) digits[--at] = '-';
    push_bytes(out, digits + at, 20 - at);
}

typedef enum { NUL, BOOLEAN, NUMBER, TEXT, ARRAY, OBJECT } Kind;

typedef struct Json Json;

typedef struct Member Member;

struct Json {
    Kind kind;
    union {
        bool boolean;
        int64_t number;
        Text text;
        struct {
            Json *data;
            size_t size, cap;
        } items;
        struct {
            Member *data;
            size_t size, cap;
        } members;
    };
};

struct Member {
    Text key;
    Json value;
};

static void drop(Json *value) {
    switch (value->kind) {
    case TEXT: free(value->text.data); break;
    case ARRAY:
        for (size_t i = 0; i < value->items.size; i++) drop(&value->items.data[i]);
        free(value->items.data);
        break;
    case OBJECT:
        for (size_t i = 0; i < value->members.size; i++) {
            free(value->members.data[i].key.data);
            drop(&value->members.data[i].value);
        }
        free(value->members.data);
        break;
    default: break;
    }
}

// Of all numbers, and the sizes of all texts.
static int64_t sum(const Json *value) {
    int64_t total = 0;
    switch (value->kind) {
    case NUL: return 0;
    case BOOLEAN: return value->boolean;
    case NUMBER: return value->number;
    case TEXT: return value->text.size;
    case ARRAY:
        for (size_t i = 0; i < value->items.size; i++) total += sum(&value->items.data[i]);
        return total;
    case OBJECT:
        for (size_t i = 0; i < value->members.size; i++)
            total += value->members.data[i].key.size + sum(&value->members.data[i].value);
        return total;
    }
    return total;
}

typedef struct {
    const char *text;
    size_t size, at;
    char error[64];
} Parser;

// The byte at hand; 0 behind the end.
static char peek(const Parser *p) { return p->at < p->size ? p->text[p->at] : 0; }

static void skip_space(Parser *p) {
    for (char c = peek(p); c == ' ' || c == '\n' || c == '\t' || c == '\r'; c = peek(p)) p->at++;
}

static bool fail(Parser *p, const char *what) {
    snprintf(p->error, sizeof p->error, "%s expected at byte %zu", what, p->at);
    return false;
}

// A sign that must stand here, behind space.
static bool expect(Parser *p, char c) {
    skip_space(p);
    if (peek(p) != c) return fail(p, (char[]){'`', c, '`', 0});
    p->at++;
    return true;
}

static bool parse_value(Parser *p, Json *out);

static bool parse_word(Parser *p, const char *word, Json *out, Json value) {
    size_t n = strlen(word);
    if (p->at + n > p->size || memcmp(p->text + p->at, word, n) != 0) return fail(p, word);
    p->at += n;
    *out = value;
    return true;
}

static bool digit(char c) { return c >= '0' && c <= '9'; }

static bool parse_number(Parser *p, Json *out) {
    bool negative = peek(p) == '-';
    p->at += negative;
    if (!digit(peek(p))) return fail(p, "a value");
    int64_t n = 0;
    for (; digit(peek(p)); p->at++) n = n * 10 + (peek(p) - '0');
    *out = (Json){NUMBER, .number = negative ? -n : n};
    return true;
}

static bool parse_string(Parser *p, Text *out) {
    *out = (Text){0};
    if (!expect(p, '"')) return false;
    for (;;) {
        size_t start = p->at;
        while (peek(p) != '"' && peek(p) != '\\' && peek(p) != 0) p->at++;
        push_bytes(out, p->text + start, p->at - start);
        if (peek(p) == '"') break;
        if (peek(p) == 0) return fail(p, "`\"`");
        p->at++;
        push_byte(out, peek(p) == 'n' ? '\n' : peek(p));
        p->at++;
    }
    p->at++;
    out->data = realloc(out->data, out->size ? out->size : 1);
    out->cap = out->size;
    return true;
}

static bool parse_array(Parser *p, Json *out) {
    *out = (Json){ARRAY, .items = {0}};
    if (!expect(p, '[')) return false;
    skip_space(p);
    if (peek(p) != ']') {
        for (;; p->at++) {
            if (out->items.size == out->items.cap) {
                out->items.cap = out->items.cap ? out->items.cap * 2 : 4;
                out->items.data = realloc(out->items.data, out->items.cap * sizeof(Json));
            }
            Json *item = &out->items.data[out->items.size++];
            item->kind = NUL;
            if (!parse_value(p, item)) return false;
            skip_space(p);
            if (peek(p) != ',') break;
        }
    }
    return expect(p, ']');
}

static bool parse_object(Parser *p, Json *out) {
    *out = (Json){OBJECT, .members = {0}};
    if (!expect(p, '{')) return false;
    skip_space(p);
    if (peek(p) != '}') {
        for (;; p->at++) {
            if (out->members.size == out->members.cap) {
                out->members.cap = out->members.cap ? out->members.cap * 2 : 4;
                out->members.data = realloc(out->members.data, out->members.cap * sizeof(Member));
            }
            Member *member = &out->members.data[out->members.size++];
            *member = (Member){{0}, {NUL}};
            skip_space(p);
            if (!parse_string(p, &member->key) || !expect(p, ':') || !parse_value(p, &member->value)) return false;
            skip_space(p);
            if (peek(p) != ',') break;
        }
    }
    return expect(p, '}');
}

static bool parse_value(Parser *p, Json *out) {
    skip_space(p);
    switch (peek(p)) {
    case '{': return parse_object(p, out);
    case '[': return parse_array(p, out);
    case '"': *out = (Json){TEXT}; return parse_string(p, &out->text);
    case 't': return parse_word(p, "true", out, (Json){BOOLEAN, .boolean = true});
    case 'f': return parse_word(p, "false", out, (Json){BOOLEAN, .boolean = false});
    case 'n': return parse_word(p, "null", out, (Json){NUL});
    default: return parse_number(p, out);
    }
}

static void write_string(Text *out, const Text *text) {
    push_byte(out, '"');
    for (size_t i = 0; i < text->size; i++) {
        char c = text->data[i];
        if (c == '"') push_bytes(out, "\\\"", 2);
        else if (c == '\\') push_bytes(out, "\\\\", 2);
        else if (c == '\n') push_bytes(out, "\\n", 2);
        else push_byte(out, c);
    }
    push_byte(out, '"');
}

static void write_value(Text *out, const Json *value) {
    switch (value->kind) {
    case NUL: push_text(out, "null"); break;
    case BOOLEAN: push_text(out, value->boolean ? "true" : "false"); break;
    case NUMBER: push_number(out, value->number); break;
    case TEXT: write_string(out, &value->text); break;
    case ARRAY:
        push_byte(out, '[');
        for (size_t i = 0; i < value->items.size; i++) {
            if (i > 0) push_byte(out, ',');
            write_value(out, &value->items.data[i]);
        }
        push_byte(out, ']');
        break;
    case OBJECT:
        push_byte(out, '{');
        for (size_t i = 0; i < value->members.size; i++) {
            if (i > 0) push_byte(out, ',');
            write_string(out, &value->members.data[i].key);
            push_byte(out, ':');
            write_value(out, &value->members.data[i].value);
        }
        push_byte(out, '}');
        break;
    }
}

static Text example(int64_t n) {
    Text out = {0};
    char line[256];
    push_text(&out, "[\n");
    for (int64_t i = 0; i < n; i++) {
        if (i > 0) push_text(&out, ",\n");
        sprintf(line,
                "  {\"id\": %ld, \"name\": \"thing \\\"%ld\\\"\", \"tags\": [\"red\", \"a\\\\b\", \"line\\n\"],"
                " \"size\": {\"width\": %ld, \"height\": %ld}, \"done\": %s, \"note\": null}",
                (long)i, (long)(i % 97), (long)(i % 13), (long)-i, i % 2 == 0 ? "true" : "false");
        push_text(&out, line);
    }
    push_text(&out, "\n]");
    return out;
}

int main(void) {
    Text text = example(60000);
    int64_t total = 0;
    for (int i = 0; i < 4; i++) {
        Parser parser = {text.data, text.size, 0, ""};
        Json value;
        if (!parse_value(&parser, &value)) {
            puts(parser.error);
            continue;
        }
        Text out = {0};
        write_value(&out, &value);
        total += sum(&value) + out.size;
        free(out.data);
        drop(&value);
    }
    printf("%ld\n", (long)total);
    Parser parser = {text.data, text.size - 20, 0, ""};
    Json value;
    puts(parse_value(&parser, &value) ? "that should not be JSON" : parser.error);
    drop(&value);
    free(text.data);
    return 0;
}
