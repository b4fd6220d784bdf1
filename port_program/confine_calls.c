// SPDX-License-Identifier: Apache-2.0
// The allow-list. Everything else ends the process at once (SIGSYS), before the call does
// anything; the kernel's audit log names the call.
//
// A name that this architecture or this libseccomp does not know is left out: it cannot be called,
// or was not there when the list was made. Calls whose arguments are looked at cost a little more;
// those of the hot path (read, write, poll, clock_gettime) are allowed whatever their arguments
// are, which the kernel remembers in a bitmap (Linux 5.11).
#include "confine.h"

#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *const confine_always[] = {
    // The pipes. Nothing else is open, and nothing can be opened.
    "read",
    "write",
    "writev",
    "poll",
    "ppoll",
    "ppoll_time64",
    // malloc and free. mmap and mprotect: below.
    "brk",
    "munmap",
    "mremap",
    "madvise",
    // The timer's thread and the clock, where the vDSO does not answer for the kernel.
    "futex",
    "futex_time64",
    "clock_gettime",
    "clock_gettime64",
    "clock_nanosleep",
    "clock_nanosleep_time64",
    "nanosleep",
    "gettimeofday",
    "time",
    // Its signals, their handler, and the C library's abort. tgkill: below.
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "sigreturn",
    "restart_syscall",
    "getpid",
    "gettid",
    // The end.
    "exit",
    "exit_group",
    // Harmless, and what a C library may do of its own accord in one release or another: threads
    // that register themselves late, a spin that gives way, the number of processors for malloc,
    // and keys that must not be guessed.
    "rseq",
    "set_robust_list",
    "sched_yield",
    "sched_getaffinity",
    "getcpu",
    "getrandom",
};

static int confine_add(scmp_filter_ctx filter, const char *name, unsigned count,
                       const struct scmp_arg_cmp *arguments) {
    int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR)
        return 0;
    return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, count, arguments);
}

static int confine_add_all(scmp_filter_ctx filter) {
    const struct scmp_arg_cmp memory[] = {
        {.arg = 2, .op = SCMP_CMP_MASKED_EQ, .datum_a = PROT_EXEC, .datum_b = 0},
        {.arg = 3, .op = SCMP_CMP_MASKED_EQ, .datum_a = MAP_ANONYMOUS, .datum_b = MAP_ANONYMOUS},
    };
    const struct scmp_arg_cmp own_threads[] = {
        {.arg = 0, .op = SCMP_CMP_EQ, .datum_a = (scmp_datum_t)getpid()},
    };
    int failed = 0;
    for (size_t i = 0; i < sizeof confine_always / sizeof confine_always[0]; i++)
        failed |= confine_add(filter, confine_always[i], 0, NULL);
    // No page ever becomes code.
    failed |= confine_add(filter, "mmap", 2, memory);
    failed |= confine_add(filter, "mmap2", 2, memory);
    failed |= confine_add(filter, "mprotect", 1, memory);
    failed |= confine_add(filter, "tgkill", 1, own_threads);
    return failed;
}

int confine_calls(void) {
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (filter == NULL)
        return -1;
    // The process shares its memory with nobody, so there is nothing that speculation could leak
    // across: without this attribute some kernels slow the whole process down (CTL_SSB).
    int failed = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) |
                 seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) |
                 seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1) | confine_add_all(filter);
    if (failed == 0)
        failed = seccomp_load(filter);
    seccomp_release(filter);
    return failed == 0 ? 0 : -1;
}
