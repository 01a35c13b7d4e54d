// A linked list: made, turned around, summed, thinned out and given back.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct Node {
    int64_t value;
    struct Node *next;
} Node;

static void push(Node **head, int64_t value) {
    Node *node = malloc(sizeof *node);
    node->value = value;
    node->next = *head;
    *head = node;
}

static void reverse(Node **head) {
    Node *done = NULL, *rest = *head;
    while (rest) {
        Node *node = rest;
        rest = node->next;
        node->next = done;
        done = node;
    }
    *head = done;
}

// Takes out what a number divides.
static void remove_multiples(Node **head, int64_t of) {
    for (Node **at = head; *at;) {
        Node *node = *at;
        if (node->value % of == 0) {
            *at = node->next;
            free(node);
        } else {
            at = &node->next;
        }
    }
}

static int64_t sum(const Node *head) {
    int64_t total = 0;
    for (; head; head = head->next) total += head->value;
    return total;
}

static void drop(Node *head) {
    while (head) {
        Node *next = head->next;
        free(head);
        head = next;
    }
}

int main(void) {
    int64_t total = 0;
    Node *head = NULL;
    for (int64_t i = 0; i < 1000000; i++) push(&head, i);
    for (int i = 0; i < 25; i++) {
        reverse(&head);
        total += sum(head);
    }
    remove_multiples(&head, 3);
    total += sum(head);
    remove_multiples(&head, 5);
    total += sum(head);
    drop(head);
    printf("%ld\n", (long)total);
    return 0;
}
