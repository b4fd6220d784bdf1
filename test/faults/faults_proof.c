// SPDX-License-Identifier: Apache-2.0
// Proof that a fault was reached. Written without the C library's buffers and heap, so that it is
// in the file whatever happens next, and so that leaving it disturbs nothing.
#include "faults.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static pthread_once_t proof_once = PTHREAD_ONCE_INIT;
static int proof_fd = -1;

static void proof_open_file(void) {
    const char *file = getenv(FAULTS_PROOF_VARIABLE);
    if (file != NULL)
        proof_fd = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

void faults_proof_init(void) {
    (void)pthread_once(&proof_once, proof_open_file);
}

static char *proof_number(char *at, uint64_t value) {
    char digits[20];
    size_t n = 0;
    do {
        digits[n++] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    *at++ = ' ';
    while (n > 0)
        *at++ = digits[--n];
    return at;
}

bool faults_proof_leave(const char *name) {
    char line[FAULTS_NAME_BYTES + 3 * 21 + 1];
    size_t length = strlen(name);
    if (proof_fd < 0 || length >= FAULTS_NAME_BYTES)
        return false;
    memcpy(line, name, length);
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    char *at = proof_number(line + length, (uint64_t)getpid());
    at = proof_number(at, (uint64_t)syscall(SYS_gettid));
    at = proof_number(at, (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec);
    *at++ = '\n';
    return write(proof_fd, line, (size_t)(at - line)) == at - line;
}
