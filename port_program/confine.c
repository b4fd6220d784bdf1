// SPDX-License-Identifier: Apache-2.0
#include "confine.h"

#include "startup.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// Of the thread that serves, whatever the VM was started with.
#define CONFINE_STACK_BYTES ((rlim_t)8 * 1024 * 1024)

#ifdef TRIPOD_FAULTS
// The fault service leaves its proof in a file.
#define CONFINE_FILE_BYTES RLIM_INFINITY
#else
#define CONFINE_FILE_BYTES 0
#endif

// Only TZ stays, for os.date; unset, the C library would look at /etc/localtime again and again,
// where an unchanged TZ is read once (tzset). The old strings are overwritten where they lie:
// secrets of the VM's environment must not be readable in this process either.
static int confine_environment(void) {
    const char *zone = getenv("TZ");
    char *kept = strdup(zone != NULL ? zone : ":/etc/localtime");
    for (char **entry = environ; *entry != NULL; entry++)
        explicit_bzero(*entry, strlen(*entry));
    bool failed = kept == NULL || clearenv() != 0 || setenv("TZ", kept, 1) != 0;
    free(kept);
    tzset();
    return failed ? -1 : 0;
}

static int confine_limit(__rlimit_resource_t resource, rlim_t wanted) {
    struct rlimit limit;
    if (getrlimit(resource, &limit) < 0)
        return -1;
    if (limit.rlim_max == RLIM_INFINITY || limit.rlim_max > wanted)
        limit.rlim_max = wanted;
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(resource, &limit);
}

// What the process has mapped now and may map on top; RLIM_INFINITY where that is everything.
static int confine_address_space(size_t reach_bytes) {
    char text[32] = "";
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t got = read(fd, text, sizeof text - 1);
    (void)close(fd);
    long page_bytes = sysconf(_SC_PAGESIZE);
    if (got <= 0 || page_bytes <= 0)
        return -1;
    rlim_t mapped = (rlim_t)strtoull(text, NULL, 10) * (rlim_t)page_bytes;
    if (mapped == 0)
        return -1;
    return confine_limit(RLIMIT_AS, reach_bytes < RLIM_INFINITY - mapped ? mapped + reach_bytes
                                                                         : RLIM_INFINITY);
}

// RLIMIT_NPROC does not hold root, as little as RLIMIT_MEMLOCK; without system calls that start
// processes and lock pages neither has anything left to do. They are there in case the filter has
// a hole.
static int confine_limits(size_t reach_bytes) {
    static const struct {
        __rlimit_resource_t resource;
        rlim_t limit;
    } limits[] = {
        {RLIMIT_FSIZE, CONFINE_FILE_BYTES},
        {RLIMIT_NPROC, 0},
        {RLIMIT_MEMLOCK, 0},
        {RLIMIT_MSGQUEUE, 0},
        {RLIMIT_NOFILE, STARTUP_FDS},
    };
    if (confine_address_space(reach_bytes) < 0)
        return -1;
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
        if (confine_limit(limits[i].resource, limits[i].limit) < 0)
            return -1;
    // Standard error may be a file. What is said there is then lost, and not the process.
    return signal(SIGXFSZ, SIG_IGN) == SIG_ERR ? -1 : 0;
}

// A VM that runs as root starts programs that may do anything.
static int confine_capabilities(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
    return (int)syscall(SYS_capset, &header, none);
}

enum exit_code confine_privileges(void) {
    (void)umask(077);
    // The stack now, because the service looks at its size when it opens.
    if (chdir("/") < 0 || confine_limit(RLIMIT_CORE, 0) < 0 ||
        confine_limit(RLIMIT_STACK, CONFINE_STACK_BYTES) < 0)
        return EXIT_CODE_LIMITS;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return EXIT_CODE_PRIVILEGES;
    return !CONFINE_FULLY || confine_capabilities() == 0 ? EXIT_CODE_END : EXIT_CODE_PRIVILEGES;
}

enum exit_code confine(size_t reach_bytes) {
    if (!CONFINE_FULLY)
        return EXIT_CODE_END;
    if (confine_environment() < 0)
        return EXIT_CODE_SYSTEM;
    if (confine_limits(reach_bytes) < 0)
        return EXIT_CODE_LIMITS;
    // Last of these: /proc/self belongs to root from then on.
    if (prctl(PR_SET_DUMPABLE, 0) < 0)
        return EXIT_CODE_PRIVILEGES;
    return confine_calls() < 0 ? EXIT_CODE_SECCOMP : EXIT_CODE_END;
}
