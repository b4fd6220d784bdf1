// SPDX-License-Identifier: Apache-2.0
#include "nif_pool.h"

#include "nif_atoms.h"

#include <stdatomic.h>
#include <stddef.h>

// Lua's 200 levels of C with room to spare.
#define NIF_POOL_STACK_BYTES ((size_t)1024 * 1024)
// Jobs that are kept for later.
#define NIF_POOL_SPARE 256u

// `box` is guarded by the pool's lock; the pool's reference keeps it alive.
struct nif_worker {
    ErlNifTid thread;
    ErlNifEnv *env;
    struct nif_box *box; // whose request it runs
};

static struct {
    unsigned loads; // guarded by the VM's code modification permission
    ErlNifMutex *lock;
    ErlNifCond *work;    // a box waits, or `stopping`
    ErlNifCond *stopped; // not `stopping` any more
    // What follows is guarded by `lock`.
    struct nif_box *first, *last; // boxes that wait for a thread
    _Atomic(size_t) waiting;      // how many; read without the lock too, as a hint
    struct nif_worker *workers;
    size_t most, threads;
    struct nif_job *spare;
    size_t spares;
    bool stopping;
} pool;

static size_t pool_waiting(void) {
    return atomic_load_explicit(&pool.waiting, memory_order_relaxed);
}

static void pool_append(struct nif_box *self) {
    self->line.next = NULL;
    if (pool.first == NULL)
        pool.first = self;
    else
        pool.last->line.next = self;
    pool.last = self;
    atomic_store_explicit(&pool.waiting, pool_waiting() + 1, memory_order_relaxed);
}

static struct nif_box *pool_take(void) {
    struct nif_box *self = pool.first;
    pool.first = self->line.next;
    atomic_store_explicit(&pool.waiting, pool_waiting() - 1, memory_order_relaxed);
    return self;
}

static bool pool_has_room(const struct nif_box *self) {
    const struct nif_line *line = &self->line;
    return line->jobs < NIF_POOL_LINE &&
           (line->jobs == 0 || line->bytes <= self->box.limits.memory_bytes);
}

struct nif_job *nif_pool_job(void) {
    enif_mutex_lock(pool.lock);
    struct nif_job *job = pool.spare;
    if (job != NULL) {
        pool.spare = job->next;
        pool.spares--;
    }
    enif_mutex_unlock(pool.lock);
    return job != NULL ? job : nif_job_open();
}

void nif_pool_keep(struct nif_job *job) {
    nif_job_reset(job);
    enif_mutex_lock(pool.lock);
    bool kept = pool.spares < NIF_POOL_SPARE;
    if (kept) {
        job->next = pool.spare;
        pool.spare = job;
        pool.spares++;
    }
    enif_mutex_unlock(pool.lock);
    if (!kept)
        nif_job_close(job);
}

// Runs slices of the box's first request until it is over or others wait.
static bool pool_run(struct nif_worker *worker, struct nif_box *self, struct nif_job *job) {
    bool over;
    do
        over = nif_job_run(job, self, worker->env);
    while (!over && pool_waiting() == 0);
    return over;
}

// The first in line is over. True: somebody who waited for room is to be told.
static bool pool_remove(struct nif_line *line, ErlNifPid *waiter) {
    struct nif_job *job = line->first;
    line->first = job->next;
    line->jobs--;
    line->bytes -= job->bytes;
    // Not for each that leaves: then sender and thread would take turns one by one.
    if (!line->waiting || line->jobs > NIF_POOL_LINE / 2)
        return false;
    line->waiting = false;
    *waiter = line->waiter;
    return true;
}

static void pool_tell_room(struct nif_worker *worker, struct nif_box *self,
                           const ErlNifPid *waiter) {
    ErlNifEnv *env = worker->env;
    ERL_NIF_TERM message = enif_make_tuple3(env, nif_atom(NIF_ATOM_tripod_nif),
                                            nif_atom(NIF_ATOM_room), enif_make_resource(env, self));
    (void)enif_send(NULL, waiter, env, message);
    enif_clear_env(env);
}

// Called with the lock, and returns with it.
static void pool_serve_box(struct nif_worker *worker) {
    struct nif_box *self = pool_take();
    struct nif_job *job = self->line.first;
    bool stopping = pool.stopping, tell = false;
    ErlNifPid waiter;
    worker->box = self;
    self->line.running = true;
    enif_mutex_unlock(pool.lock);
    if (stopping)
        nif_box_close(NULL, self);
    bool over = pool_run(worker, self, job);
    enif_mutex_lock(pool.lock);
    worker->box = NULL;
    self->line.running = false;
    if (over)
        tell = pool_remove(&self->line, &waiter);
    bool held = self->line.first != NULL;
    self->line.held = held;
    if (held)
        pool_append(self);
    if (!over)
        return;
    // Another thread may be serving the box now; it is kept alive by what follows.
    if (tell && held)
        enif_keep_resource(self);
    enif_mutex_unlock(pool.lock);
    nif_pool_keep(job);
    if (tell)
        pool_tell_room(worker, self, &waiter);
    if (tell || !held)
        enif_release_resource(self);
    enif_mutex_lock(pool.lock);
}

static void *pool_serve(void *data) {
    struct nif_worker *worker = data;
    enif_mutex_lock(pool.lock);
    while (pool.first != NULL || !pool.stopping) {
        if (pool.first != NULL)
            pool_serve_box(worker);
        else
            enif_cond_wait(pool.work, pool.lock);
    }
    enif_mutex_unlock(pool.lock);
    return NULL;
}

static bool pool_start_thread(void) {
    struct nif_worker *worker = &pool.workers[pool.threads];
    char name[] = "tripod_nif";
    ErlNifThreadOpts *options = enif_thread_opts_create(name);
    *worker = (struct nif_worker){.env = enif_alloc_env()};
    bool started = false;
    if (options != NULL && worker->env != NULL) {
        options->suggested_stack_size =
            (int)(NIF_POOL_STACK_BYTES / sizeof(void *) / 1024); // kilowords
        started = enif_thread_create(name, &worker->thread, pool_serve, worker, options) == 0;
    }
    if (options != NULL)
        enif_thread_opts_destroy(options);
    if (started)
        pool.threads++;
    else if (worker->env != NULL)
        enif_free_env(worker->env);
    return started;
}

// All at once, at the first request: what the library takes is then known from the start.
static bool pool_start(void) {
    while (pool.threads < pool.most && pool_start_thread())
        continue;
    return pool.threads > 0;
}

bool nif_pool_room(struct nif_box *self, const ErlNifPid *waiter) {
    enif_mutex_lock(pool.lock);
    bool room = pool_has_room(self);
    if (!room) {
        self->line.waiting = true;
        self->line.waiter = *waiter;
    }
    enif_mutex_unlock(pool.lock);
    return room;
}

static enum nif_pool_entry pool_enter(struct nif_box *self, struct nif_job *job) {
    struct nif_line *line = &self->line;
    if (pool.stopping)
        return NIF_POOL_STOPPING;
    if (pool.threads == 0 && !pool_start())
        return NIF_POOL_NO_THREADS;
    if (!line->held) {
        pool_append(self);
        enif_keep_resource(self);
        line->held = true;
        enif_cond_signal(pool.work);
    }
    job->next = NULL;
    if (line->first == NULL)
        line->first = job;
    else
        line->last->next = job;
    line->last = job;
    line->jobs++;
    line->bytes += job->bytes;
    return NIF_POOL_ENTERED;
}

enum nif_pool_entry nif_pool_enter(ErlNifEnv *env, struct nif_box *self, struct nif_job *job) {
    enif_mutex_lock(pool.lock);
    enum nif_pool_entry entry = pool_enter(self, job);
    enif_mutex_unlock(pool.lock);
    if (entry == NIF_POOL_STOPPING)
        nif_box_close(env, self);
    return entry;
}

// Under the lock the first in line stays the first, so this reaches no later call.
void nif_pool_interrupt(struct nif_box *self) {
    enif_mutex_lock(pool.lock);
    if (self->line.first != NULL)
        nif_job_interrupt(self->line.first, self);
    enif_mutex_unlock(pool.lock);
}

// Called with the lock, and returns with it.
static void pool_close(ErlNifEnv *env, struct nif_box *self) {
    enif_keep_resource(self);
    enif_mutex_unlock(pool.lock);
    nif_box_close(env, self);
    enif_release_resource(self);
    enif_mutex_lock(pool.lock);
}

void nif_pool_stop(ErlNifEnv *env) {
    enif_mutex_lock(pool.lock);
    while (pool.stopping)
        enif_cond_wait(pool.stopped, pool.lock);
    pool.stopping = true;
    size_t threads = pool.threads;
    for (size_t i = 0; i < threads; i++)
        if (pool.workers[i].box != NULL)
            pool_close(env, pool.workers[i].box);
    enif_cond_broadcast(pool.work);
    enif_mutex_unlock(pool.lock);
    for (size_t i = 0; i < threads; i++) {
        (void)enif_thread_join(pool.workers[i].thread, NULL);
        enif_free_env(pool.workers[i].env);
    }
    enif_mutex_lock(pool.lock);
    pool.threads = 0;
    pool.stopping = false;
    enif_cond_broadcast(pool.stopped);
    enif_mutex_unlock(pool.lock);
}

static void pool_release(void) {
    while (pool.spare != NULL) {
        struct nif_job *job = pool.spare;
        pool.spare = job->next;
        nif_job_close(job);
    }
    pool.spares = 0;
    if (pool.lock != NULL)
        enif_mutex_destroy(pool.lock);
    if (pool.work != NULL)
        enif_cond_destroy(pool.work);
    if (pool.stopped != NULL)
        enif_cond_destroy(pool.stopped);
    enif_free(pool.workers);
    pool.lock = NULL;
    pool.work = pool.stopped = NULL;
    pool.workers = NULL;
}

bool nif_pool_load(void) {
    if (pool.loads++ > 0)
        return true;
    ErlNifSysInfo system;
    enif_system_info(&system, sizeof system);
    pool.most = system.scheduler_threads > 0 ? (size_t)system.scheduler_threads : 1;
    char lock[] = "tripod_nif_pool", work[] = "tripod_nif_work", stopped[] = "tripod_nif_stopped";
    pool.lock = enif_mutex_create(lock);
    pool.work = enif_cond_create(work);
    pool.stopped = enif_cond_create(stopped);
    pool.workers = enif_alloc(pool.most * sizeof *pool.workers);
    if (pool.lock != NULL && pool.work != NULL && pool.stopped != NULL && pool.workers != NULL)
        return true;
    pool_release();
    pool.loads--;
    return false;
}

void nif_pool_unload(void) {
    if (--pool.loads > 0)
        return;
    nif_pool_stop(NULL);
    pool_release();
}
