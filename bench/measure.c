// `measure RESULT PROGRAM [ARGUMENT…]` runs a program and writes to the file RESULT how long it took, how long the
// processor was at it (both in nanoseconds), and the most memory it held (in KiB). It is small on purpose: what a
// process held before it became the program counts too.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int64_t nanoseconds(struct timeval t) { return t.tv_sec * INT64_C(1000000000) + t.tv_usec * INT64_C(1000); }

int main(int count, char **arguments) {
    if (count < 3) return 2;
    int64_t start = now();
    pid_t child = vfork();
    if (child == 0) {
        execv(arguments[2], arguments + 2);
        _exit(127);
    }
    int status;
    struct rusage usage;
    if (child < 0 || wait4(child, &status, 0, &usage) != child) return 2;
    int64_t wall = now() - start, cpu = nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime);
    char text[100];
    int size = snprintf(text, sizeof text, "%ld %ld %ld\n", (long)wall, (long)cpu, usage.ru_maxrss);
    int file = open(arguments[1], O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (file < 0 || write(file, text, size) != size) return 2;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}
