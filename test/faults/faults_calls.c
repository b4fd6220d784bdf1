// SPDX-License-Identifier: Apache-2.0
// Faults that are one system call each, of those that no service needs and whoever takes one over
// would make first. They hurt nobody; what is told is whether they were let through.
#include "faults.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CALLS_PAGE_BYTES ((size_t)4096)

// Left open: that it was opened can be seen from outside.
int faults_call_socket(const struct faults_call *call) {
    (void)socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return faults_survived(call);
}

int faults_call_open(const struct faults_call *call) {
    int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        (void)close(fd);
    return faults_survived(call);
}

int faults_call_fork(const struct faults_call *call) {
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    if (child > 0)
        (void)waitpid(child, NULL, 0);
    return faults_survived(call);
}

static void *calls_nothing(void *unused) {
    return unused;
}

int faults_call_thread(const struct faults_call *call) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, calls_nothing, NULL) == 0)
        (void)pthread_join(thread, NULL);
    return faults_survived(call);
}

// Signal 0 reaches nobody, but asks whether it might. Process 1 is not us.
int faults_call_kill(const struct faults_call *call) {
    (void)syscall(SYS_tgkill, 1, 1, 0);
    return faults_survived(call);
}

int faults_call_ptrace(const struct faults_call *call) {
    (void)ptrace(PTRACE_PEEKDATA, 1, NULL, NULL);
    return faults_survived(call);
}

int faults_call_prctl(const struct faults_call *call) {
    (void)prctl(PR_GET_DUMPABLE);
    return faults_survived(call);
}

static int calls_page(const struct faults_call *call, int first, int then) {
    void *page = mmap(NULL, CALLS_PAGE_BYTES, first, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page != MAP_FAILED) {
        (void)mprotect(page, CALLS_PAGE_BYTES, then);
        (void)munmap(page, CALLS_PAGE_BYTES);
    }
    return faults_survived(call);
}

int faults_call_map_code(const struct faults_call *call) {
    return calls_page(call, PROT_READ | PROT_EXEC, PROT_READ);
}

int faults_call_make_code(const struct faults_call *call) {
    return calls_page(call, PROT_READ | PROT_WRITE, PROT_READ | PROT_EXEC);
}
