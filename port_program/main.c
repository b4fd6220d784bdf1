// SPDX-License-Identifier: Apache-2.0
// The external port program: one box in a process of its own.
//
//   tripod_port_program serve SERVICE MEMORY_BYTES TIME_MS DEPTH REPLY_BYTES timer|count
//   tripod_port_program guard
//
// The first is started by tripod_port_program_keeper.erl for each box, speaks the frames of wire.h
// on stdin and stdout, and ends when stdin does. The second is guard.h. Exit codes: exit_codes.h.
#include "confine.h"
#include "guard.h"
#include "preempt_timer.h"
#include "program.h"
#include "startup.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int main_usage(void) {
    (void)fputs("usage: tripod_port_program serve SERVICE MEMORY_BYTES TIME_MS DEPTH REPLY_BYTES "
                "timer|count\n       tripod_port_program guard\n",
                stderr);
    return EXIT_CODE_USAGE;
}

static int main_number(const char *text, uint64_t maximum, uint64_t *value) {
    if (*text < '0' || *text > '9')
        return -1;
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0' || number == 0 || number > maximum)
        return -1;
    *value = number;
    return 0;
}

static int main_limits(char **arguments, struct service_limits *limits) {
    uint64_t memory_bytes, time_ms, depth, reply_bytes;
    if (main_number(arguments[0], SIZE_MAX / 2, &memory_bytes) < 0 ||
        main_number(arguments[1], UINT32_MAX, &time_ms) < 0 ||
        main_number(arguments[2], UINT32_MAX, &depth) < 0 ||
        main_number(arguments[3], UINT32_MAX, &reply_bytes) < 0)
        return -1;
    *limits = (struct service_limits){
        .memory_bytes = (size_t)memory_bytes,
        .time_ns = time_ms * UINT64_C(1000000),
        .depth = (uint32_t)depth,
        .reply_bytes = (size_t)reply_bytes,
        .preempt = SERVICE_PREEMPT_TIMER,
    };
    if (strcmp(arguments[4], "count") == 0)
        limits->preempt = SERVICE_PREEMPT_COUNT;
    else if (strcmp(arguments[4], "timer") != 0)
        return -1;
    return 0;
}

// What every process of ours does first.
static enum exit_code main_start(struct startup_pipes *pipes) {
    if (startup_pipes(pipes) < 0)
        return EXIT_CODE_SYSTEM;
    startup_signals();
    if (startup_die_with_parent() < 0)
        return EXIT_CODE_ORPHAN;
    return confine_privileges();
}

static enum exit_code main_guard(void) {
    struct startup_pipes pipes = {-1, -1};
    enum exit_code code = main_start(&pipes);
    return code == EXIT_CODE_END ? guard(pipes.in) : code;
}

static enum exit_code main_serve(char **arguments) {
    struct program_config config = {.service = service_find(arguments[0], strlen(arguments[0]))};
    if (config.service == NULL)
        return EXIT_CODE_SERVICE;
    if (main_limits(arguments + 1, &config.limits) < 0)
        return EXIT_CODE_USAGE;
    struct startup_pipes pipes = {-1, -1};
    enum exit_code code = main_start(&pipes);
    config.in_fd = pipes.in;
    config.out_fd = pipes.out;
    if (code == EXIT_CODE_END)
        code = program_open(&config);
    if (code != EXIT_CODE_END)
        return code;
    bool timed = preempt_timer_start() == 0; // without it the service counts instead
    code = confine(program_reach_bytes());
    if (code == EXIT_CODE_END)
        code = program_serve();
    // The kernel is quicker at taking everything back.
    if (CONFINE_FULLY)
        _exit((int)code);
    program_close();
    if (timed)
        preempt_timer_stop();
    return code;
}

int main(int count, char **arguments) {
    if (count == 8 && strcmp(arguments[1], "serve") == 0)
        return (int)main_serve(arguments + 2);
    if (count == 2 && strcmp(arguments[1], "guard") == 0)
        return (int)main_guard();
    return main_usage();
}
