// SPDX-License-Identifier: Apache-2.0
#include "startup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// The lowest descriptors that the pipes move to.
#define STARTUP_FD_IN  3
#define STARTUP_FD_OUT 4

static int startup_move(int from, int to) {
    if (dup2(from, to) < 0)
        return -1;
    return fcntl(to, F_SETFD, FD_CLOEXEC);
}

// For kernels before 5.9, which have no close_range.
static void startup_close_listed(int first) {
    DIR *directory = opendir("/proc/self/fd");
    if (directory == NULL) {
        for (int fd = first; fd < (int)sysconf(_SC_OPEN_MAX); fd++)
            (void)close(fd);
        return;
    }
    const struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        int fd = (int)strtol(entry->d_name, NULL, 10); // `.` and `..` give 0
        if (fd >= first && fd != dirfd(directory))
            (void)close(fd);
    }
    (void)closedir(directory);
}

int startup_pipes(struct startup_pipes *pipes) {
#ifdef SYS_close_range
    if (syscall(SYS_close_range, 3u, ~0u, 0u) < 0)
#endif
        startup_close_listed(3);
    if (startup_move(STDIN_FILENO, STARTUP_FD_IN) < 0 ||
        startup_move(STDOUT_FILENO, STARTUP_FD_OUT) < 0)
        return -1;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0)
        return -1;
    if (fcntl(STDERR_FILENO, F_GETFD) < 0 && dup2(null, STDERR_FILENO) < 0)
        return -1;
    if (dup2(null, STDIN_FILENO) < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
        return -1;
    (void)close(null);
    // With a buffer the C library would ask what kind of file this is, which confine.h forbids.
    (void)setvbuf(stdout, NULL, _IONBF, 0);
    pipes->in = STARTUP_FD_IN;
    pipes->out = STARTUP_FD_OUT;
    return 0;
}

void startup_signals(void) {
    for (int number = 1; number < NSIG; number++) {
        struct sigaction action;
        // Only what is ignored: a sanitizer's handlers stay.
        if (sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
            (void)signal(number, SIG_DFL);
    }
    (void)signal(SIGPIPE, SIG_IGN);
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

int startup_die_with_parent(void) {
    pid_t parent = getppid();
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return -1;
    // It may have ended before the kernel knew that we care.
    return getppid() == parent ? 0 : -1;
}
