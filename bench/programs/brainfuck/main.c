// An interpreter of eight instructions on a tape of bytes, at work on nested loops that count, multiply and print.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum { MOVE, ADD, PRINT, OPEN, CLOSE } Kind;

typedef struct {
    Kind kind;
    int64_t n; // by how much, or where the matching bracket stands
} Op;

typedef struct {
    Op *data;
    size_t size, cap;
} Ops;

static void push(Ops *ops, Kind kind, int64_t n) {
    if (ops->size == ops->cap) {
        ops->cap = ops->cap ? ops->cap * 2 : 4;
        ops->data = realloc(ops->data, ops->cap * sizeof *ops->data);
    }
    ops->data[ops->size++] = (Op){kind, n};
}

// Runs of `+`, `-`, `<` and `>` become one instruction each.
static void push_run(Ops *ops, Kind kind, int64_t by) {
    if (ops->size > 0 && ops->data[ops->size - 1].kind == kind) ops->data[ops->size - 1].n += by;
    else push(ops, kind, by);
}

static Ops parse(const char *source) {
    Ops ops = {0}, opened = {0};
    for (; *source; source++) {
        switch (*source) {
        case '>': push_run(&ops, MOVE, 1); break;
        case '<': push_run(&ops, MOVE, -1); break;
        case '+': push_run(&ops, ADD, 1); break;
        case '-': push_run(&ops, ADD, -1); break;
        case '.': push(&ops, PRINT, 0); break;
        case '[':
            push(&opened, OPEN, ops.size);
            push(&ops, OPEN, 0);
            break;
        case ']': {
            int64_t start = opened.data[--opened.size].n;
            ops.data[start].n = ops.size;
            push(&ops, CLOSE, start);
        }
        }
    }
    free(opened.data);
    return ops;
}

static void run(const Ops *ops) {
    uint8_t *tape = calloc(30000, 1);
    size_t head = 0;
    for (size_t at = 0; at < ops->size; at++) {
        Op op = ops->data[at];
        switch (op.kind) {
        case MOVE: head += op.n; break;
        case ADD: tape[head] += op.n; break;
        case PRINT: putchar(tape[head]); break;
        case OPEN:
            if (tape[head] == 0) at = op.n;
            break;
        case CLOSE:
            if (tape[head] != 0) at = op.n;
            break;
        }
    }
    free(tape);
}

// The letters from the last to the first, each of which waits for loops in loops.
static const char *PROGRAM =
    ">++[<+++++++++++++>-]<[[>+>+<<-]>[<+>-]++++++++[>++++++++<-]>.[-]<<>++++++++++[>++++++++++[>++++++++"
    "++[>++++++++++[>++++++++++[>++++++++++++++++++++++++++++++[-]<-]<-]<-]<-]<-]<-]++++++++++.";

int main(void) {
    Ops ops = parse(PROGRAM);
    run(&ops);
    free(ops.data);
    return 0;
}
