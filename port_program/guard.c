// SPDX-License-Identifier: Apache-2.0
#include "guard.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#define GUARD_RECORD_BYTES 13u

struct guard_process {
    pid_t pid;
    uint64_t start;
};

struct guard_list {
    struct guard_process *at;
    size_t used, capacity;
};

// Field 22 of /proc/PID/stat (proc(5)), counted from behind the command's name, which may itself
// contain spaces and brackets. False: there is no such process.
static bool guard_start(pid_t pid, uint64_t *start) {
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
static void guard_kill(const struct guard_process *process) {
    int fd = (int)syscall(SYS_pidfd_open, process->pid, 0u);
    if (fd < 0 && errno != ENOSYS)
        return;
    uint64_t start;
    if (guard_start(process->pid, &start) && start == process->start) {
        if (fd >= 0)
            (void)syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0u);
        else
            (void)kill(process->pid, SIGKILL);
    }
    if (fd >= 0)
        (void)close(fd);
}

static bool guard_add(struct guard_list *list, const struct guard_process *process) {
    if (list->used == list->capacity) {
        size_t capacity = list->capacity == 0 ? 64 : 2 * list->capacity;
        struct guard_process *at = realloc(list->at, capacity * sizeof *at);
        if (at == NULL)
            return false;
        list->at = at;
        list->capacity = capacity;
    }
    list->at[list->used++] = *process;
    return true;
}

// From the end, because most are removed soon after they came.
static void guard_remove(struct guard_list *list, const struct guard_process *process) {
    for (size_t i = list->used; i > 0; i--) {
        const struct guard_process *at = &list->at[i - 1];
        if (at->pid == process->pid && at->start == process->start) {
            list->at[i - 1] = list->at[--list->used];
            return;
        }
    }
}

static enum exit_code guard_obey(struct guard_list *list, const uint8_t *record) {
    uint64_t number = 0, start = 0;
    for (size_t i = 1; i < 5; i++)
        number = number << 8 | record[i];
    for (size_t i = 5; i < GUARD_RECORD_BYTES; i++)
        start = start << 8 | record[i];
    // 0 and negative numbers would mean whole groups, 1 is nobody's child.
    if (number <= 1 || number > INT32_MAX)
        return EXIT_CODE_PROTOCOL;
    const struct guard_process process = {(pid_t)number, start};
    switch (record[0]) {
    case '+':
        return guard_add(list, &process) ? EXIT_CODE_END : EXIT_CODE_SYSTEM;
    case '-':
        guard_remove(list, &process);
        return EXIT_CODE_END;
    case '!':
        guard_kill(&process);
        return EXIT_CODE_END;
    default:
        return EXIT_CODE_PROTOCOL;
    }
}

enum exit_code guard(int in_fd) {
    struct guard_list list = {0};
    uint8_t data[GUARD_RECORD_BYTES * 256];
    size_t have = 0;
    enum exit_code code = EXIT_CODE_END;
    while (code == EXIT_CODE_END) {
        ssize_t got = read(in_fd, data + have, sizeof data - have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        have += (size_t)got;
        size_t done = 0;
        for (; code == EXIT_CODE_END && have - done >= GUARD_RECORD_BYTES;
             done += GUARD_RECORD_BYTES)
            code = guard_obey(&list, data + done);
        have -= done;
        memmove(data, data + done, have);
    }
    if (code == EXIT_CODE_END)
        for (size_t i = 0; i < list.used; i++)
            guard_kill(&list.at[i]);
    free(list.at);
    return code;
}
