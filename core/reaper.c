// SPDX-License-Identifier: Apache-2.0
// The queue is threaded through the first block of each list, so that taking needs no memory.
#include "reaper.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

// Blocks with fewer whole pages are not worth a system call.
#define REAPER_GIVE_UP_BYTES ((size_t)64 * 1024)
// So much is given up before others have a turn. A scheduler may want the core, or the lock of the
// address space that a system call holds.
#define REAPER_STRETCH_BYTES ((size_t)1024 * 1024)
#define REAPER_PAUSE_NS      50000
// So many blocks are booked at a time.
#define REAPER_BATCH 64u

struct reaper_job {
    struct service_block block;
    struct reaper_job *next;
    void *(*memory)(void *block, size_t old, size_t size);
    void (*freed)(size_t bytes);
};

_Static_assert(sizeof(struct reaper_job) <= 64, "the smallest block that is taken");

static pthread_mutex_t reaper_life = PTHREAD_MUTEX_INITIALIZER; // start and stop; before the other
static unsigned reaper_users;                                   // guarded by reaper_life
static pthread_t reaper_thread;                                 // likewise

static pthread_mutex_t reaper_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t reaper_wake = PTHREAD_COND_INITIALIZER;
static struct reaper_job *reaper_first, **reaper_end = &reaper_first; // guarded by reaper_mutex
static bool reaper_running;                                           // likewise

static void reaper_set_running(bool running) {
    (void)pthread_mutex_lock(&reaper_mutex);
    reaper_running = running;
    (void)pthread_cond_signal(&reaper_wake);
    (void)pthread_mutex_unlock(&reaper_mutex);
}

// Not while somebody waits for the end of it all.
static void reaper_pause(void) {
    static const struct timespec pause = {.tv_nsec = REAPER_PAUSE_NS};
    (void)pthread_mutex_lock(&reaper_mutex);
    bool running = reaper_running;
    (void)pthread_mutex_unlock(&reaper_mutex);
    if (running)
        (void)nanosleep(&pause, NULL);
}

// `given`: since the last pause.
static void reaper_give_up_pages(struct service_block *block, size_t *given) {
    if (block->bytes < REAPER_GIVE_UP_BYTES)
        return;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *body = (char *)(block + 1); // the header is still needed
    char *end = (char *)block + block->bytes;
    char *from = body + (page - (uintptr_t)body % page) % page;
    end -= (uintptr_t)end % page;
    while (from < end) {
        size_t left = (size_t)(end - from);
        size_t piece = left < REAPER_STRETCH_BYTES ? left : REAPER_STRETCH_BYTES;
        // Only spares the next one work: if it fails, nothing is lost.
        (void)madvise(from, piece, MADV_DONTNEED);
        from += piece;
        *given += piece;
        if (*given >= REAPER_STRETCH_BYTES) {
            reaper_pause();
            *given = 0;
        }
    }
}

static void reaper_do(struct reaper_job *job) {
    void *(*memory)(void *, size_t, size_t) = job->memory;
    void (*freed)(size_t) = job->freed;
    struct service_block *block = &job->block;
    size_t given = 0;
    while (block != NULL) {
        size_t bytes = 0;
        for (unsigned i = 0; i < REAPER_BATCH && block != NULL; i++) {
            struct service_block *next = block->next;
            size_t size = block->bytes;
            reaper_give_up_pages(block, &given);
            (void)memory(block, size, 0);
            bytes += size;
            block = next;
        }
        freed(bytes);
    }
}

static void *reaper_run(void *unused) {
    (void)pthread_mutex_lock(&reaper_mutex);
    while (reaper_running || reaper_first != NULL) {
        struct reaper_job *job = reaper_first;
        if (job == NULL) {
            (void)pthread_cond_wait(&reaper_wake, &reaper_mutex);
            continue;
        }
        reaper_first = job->next;
        if (reaper_first == NULL)
            reaper_end = &reaper_first;
        (void)pthread_mutex_unlock(&reaper_mutex);
        reaper_do(job);
        (void)pthread_mutex_lock(&reaper_mutex);
    }
    (void)pthread_mutex_unlock(&reaper_mutex);
    return unused;
}

// The thread inherits a full mask: no signal of the process is ever handled on it.
static int reaper_create(void) {
    sigset_t all, before;
    (void)sigfillset(&all);
    reaper_set_running(true);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&reaper_thread, NULL, reaper_run, NULL);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed != 0) {
        reaper_set_running(false);
        return SERVICE_E_SYSTEM;
    }
    (void)pthread_setname_np(reaper_thread, "tripod_reaper");
    return 0;
}

int reaper_start(void) {
    (void)pthread_mutex_lock(&reaper_life);
    int code = reaper_users == 0 ? reaper_create() : 0;
    if (code == 0)
        reaper_users++;
    (void)pthread_mutex_unlock(&reaper_life);
    return code;
}

void reaper_stop(void) {
    (void)pthread_mutex_lock(&reaper_life);
    if (--reaper_users == 0) {
        reaper_set_running(false);
        (void)pthread_join(reaper_thread, NULL);
    }
    (void)pthread_mutex_unlock(&reaper_life);
}

static void reaper_queue(struct service_block *list,
                         void *(*memory)(void *block, size_t old, size_t size),
                         void (*freed)(size_t bytes)) {
    if (list == NULL)
        return;
    struct reaper_job *job = (struct reaper_job *)list;
    job->next = NULL;
    job->memory = memory;
    job->freed = freed;
    *reaper_end = job;
    reaper_end = &job->next;
}

bool reaper_take(struct service_block *const lists[2],
                 void *(*memory)(void *block, size_t old, size_t size),
                 void (*freed)(size_t bytes)) {
    (void)pthread_mutex_lock(&reaper_mutex);
    bool taken = reaper_running;
    if (taken) {
        reaper_queue(lists[0], memory, freed);
        reaper_queue(lists[1], memory, freed);
        (void)pthread_cond_signal(&reaper_wake);
    }
    (void)pthread_mutex_unlock(&reaper_mutex);
    return taken;
}
