// SPDX-License-Identifier: Apache-2.0
// The faults themselves. What each does is undefined or endless on purpose; everything that a
// compiler could see through goes by way of a volatile object, so that it really happens.
#include "faults.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KINDS_LEAKED_FDS   64
#define KINDS_BLOCKS       64
#define KINDS_BLOCK_BYTES  ((size_t)2000)
#define KINDS_LEAKED_BYTES ((size_t)64 * 1024 * 1024)

int faults_survived(const struct faults_call *call) {
    int code = term_begin(call->reply, TERM_TUPLE, 2);
    if (code == 0)
        code = TERM_ATOM(call->reply, "ok");
    if (code == 0)
        code = term_atom(call->reply, call->fault->name, strlen(call->fault->name));
    return code < 0 ? code : term_end(call->reply, TERM_TUPLE, 2);
}

// Not memset: a compiler drops what it writes where nobody reads it.
static void kinds_fill(volatile unsigned char *block, size_t length) {
    for (size_t i = 0; i < length; i++)
        block[i] = 0x41;
}

static int kinds_segfault(const struct faults_call *call) {
    volatile int *volatile nowhere = NULL;
    *nowhere = 1;
    return faults_survived(call);
}

static int kinds_abort(const struct faults_call *call) {
    (void)call;
    abort();
}

static int kinds_c_loop(const struct faults_call *call) {
    volatile uint64_t turns = 0;
    volatile bool ended = false;
    while (!ended)
        turns = turns + 1;
    return faults_survived(call);
}

static int kinds_deeper(const volatile char *above) {
    volatile char frame[4096];
    frame[0] = above[0];
    if (frame[0] != 0)
        return 0;
    return kinds_deeper(frame) + frame[0];
}

static int kinds_stack_overflow(const struct faults_call *call) {
    volatile char bottom[1] = {0};
    (void)kinds_deeper(bottom);
    return faults_survived(call);
}

static int kinds_double_free(const struct faults_call *call) {
    void *volatile block = malloc(64);
    free(block);
    free(block);
    return faults_survived(call);
}

// Spoils the headers of the blocks that follow, which is found when those are freed. Large enough
// not to be kept in a list of free blocks that nobody checks, and many, so that some are
// neighbours.
static int kinds_heap_overrun(const struct faults_call *call) {
    const volatile size_t written = KINDS_BLOCK_BYTES + 64;
    unsigned char *volatile blocks[KINDS_BLOCKS];
    for (int i = 0; i < KINDS_BLOCKS; i++)
        blocks[i] = malloc(KINDS_BLOCK_BYTES);
    for (int i = 0; i < KINDS_BLOCKS; i++)
        if (blocks[i] != NULL)
            kinds_fill(blocks[i], written);
    for (int i = 0; i < KINDS_BLOCKS; i++)
        free(blocks[i]);
    return faults_survived(call);
}

static int kinds_exit(const struct faults_call *call) {
    (void)call;
    exit(0);
}

static int kinds_deadlock(const struct faults_call *call) {
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    (void)pthread_mutex_lock(&mutex);
    (void)pthread_mutex_lock(&mutex);
    return faults_survived(call);
}

static int kinds_fd_leak(const struct faults_call *call) {
    for (int i = 0; i < KINDS_LEAKED_FDS; i++)
        (void)open("/dev/null", O_RDONLY | O_CLOEXEC);
    return faults_survived(call);
}

// Behind the host's back, as a library does that calls malloc.
static int kinds_memory_leak(const struct faults_call *call) {
    void *volatile block = malloc(KINDS_LEAKED_BYTES);
    if (block != NULL)
        kinds_fill(block, KINDS_LEAKED_BYTES);
    return faults_survived(call);
}

// Closes what was never opened, as another kind and with another count than the one that was.
static int kinds_garbage_reply(const struct faults_call *call) {
    (void)term_begin(call->reply, TERM_LIST, 1);
    (void)term_integer(call->reply, 1);
    (void)term_end(call->reply, TERM_TUPLE, 3);
    return 0;
}

static int kinds_half_reply(const struct faults_call *call) {
    (void)term_begin(call->reply, TERM_TUPLE, 2);
    (void)TERM_ATOM(call->reply, "ok");
    return 0;
}

static const struct fault kinds[] = {
    {"segfault", kinds_segfault},
    {"abort", kinds_abort},
    {"c_loop", kinds_c_loop},
    {"stack_overflow", kinds_stack_overflow},
    {"double_free", kinds_double_free},
    {"heap_overrun", kinds_heap_overrun},
    {"exit", kinds_exit},
    {"deadlock", kinds_deadlock},
    {"fd_leak", kinds_fd_leak},
    {"memory_leak", kinds_memory_leak},
    {"host_leak", faults_host_leak},
    {"host_overrun", faults_host_overrun},
    {"host_double_free", faults_host_double_free},
    {"undefined", faults_undefined},
    {"garbage_reply", kinds_garbage_reply},
    {"half_reply", kinds_half_reply},
    {"syscall", faults_call_socket},
    {"syscall_open", faults_call_open},
    {"syscall_fork", faults_call_fork},
    {"syscall_thread", faults_call_thread},
    {"syscall_kill", faults_call_kill},
    {"syscall_ptrace", faults_call_ptrace},
    {"syscall_prctl", faults_call_prctl},
    {"syscall_map_code", faults_call_map_code},
    {"syscall_make_code", faults_call_make_code},
    // For the harness's own test: leaves proof, and does nothing.
    {"proof_only", faults_survived},
};

const struct fault *faults_find(const char *name) {
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}
