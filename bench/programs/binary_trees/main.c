// Many small objects, made and given back.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct Tree {
    struct Tree *left, *right;
} Tree;

static int64_t check(const Tree *tree) {
    int64_t sum = 1;
    if (tree->left) sum += check(tree->left);
    if (tree->right) sum += check(tree->right);
    return sum;
}

static Tree *make(int64_t depth) {
    Tree *tree = malloc(sizeof *tree);
    tree->left = depth == 0 ? NULL : make(depth - 1);
    tree->right = depth == 0 ? NULL : make(depth - 1);
    return tree;
}

static void drop(Tree *tree) {
    if (tree->left) drop(tree->left);
    if (tree->right) drop(tree->right);
    free(tree);
}

int main(void) {
    int64_t least = 4, most = 17;
    Tree *stretch = make(most + 1);
    printf("stretch tree of depth %ld check: %ld\n", (long)(most + 1), (long)check(stretch));
    drop(stretch);
    Tree *long_lived = make(most);
    for (int64_t depth = least; depth <= most; depth += 2) {
        int64_t turns = (int64_t)1 << (most - depth + least), sum = 0;
        for (int64_t i = 0; i < turns; i++) {
            Tree *tree = make(depth);
            sum += check(tree);
            drop(tree);
        }
        printf("%ld trees of depth %ld check: %ld\n", (long)turns, (long)depth, (long)sum);
    }
    printf("long lived tree of depth %ld check: %ld\n", (long)most, (long)check(long_lived));
    drop(long_lived);
    return 0;
}
