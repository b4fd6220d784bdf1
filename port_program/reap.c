// SPDX-License-Identifier: Apache-2.0
#include "reap.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

// Field 22 of /proc/PID/stat (proc(5)), counted from behind the command's name, which may itself
// contain spaces and brackets. False: there is no such process.
static bool reap_start(pid_t pid, unsigned long long *start) {
    char name[64];
    (void)snprintf(name, sizeof name, "/proc/%ld/stat", (long)pid);
    FILE *file = fopen(name, "re");
    if (file == NULL)
        return false;
    char line[1024];
    size_t length = fread(line, 1, sizeof line - 1, file);
    (void)fclose(file);
    line[length] = '\0';
    const char *at = strrchr(line, ')');
    for (int field = 2; at != NULL && field < 22; field++)
        at = strchr(at + 1, ' ');
    if (at == NULL)
        return false;
    char *end;
    *start = strtoull(at + 1, &end, 10);
    return end != at + 1;
}

// The descriptor stands for this very process, so nobody else can be hit between the comparison
// and the signal. Kernels before 5.3 have none: there the signal goes to the number.
static void reap_one(pid_t pid, unsigned long long start) {
    int fd = (int)syscall(SYS_pidfd_open, pid, 0u);
    if (fd < 0 && errno != ENOSYS)
        return;
    unsigned long long seen;
    if (reap_start(pid, &seen) && seen == start) {
        if (fd >= 0)
            (void)syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0u);
        else
            (void)kill(pid, SIGKILL);
    }
    if (fd >= 0)
        (void)close(fd);
}

enum exit_code reap(int count, char **targets) {
    for (int i = 0; i < count; i++) {
        char *end;
        long pid = strtol(targets[i], &end, 10);
        if (pid <= 1 || *end != ':')
            return EXIT_CODE_USAGE;
        const char *number = end + 1;
        unsigned long long start = strtoull(number, &end, 10);
        if (end == number || *end != '\0')
            return EXIT_CODE_USAGE;
        reap_one((pid_t)pid, start);
    }
    return EXIT_CODE_END;
}
