// SPDX-License-Identifier: Apache-2.0
// Floors of everything reached as a NIF: functions that do nothing, on each kind of thread, and the
// least work that a payload can cost. Knows nothing of Tripod.
//
// Called by tripod_floor_nif.erl, on normal schedulers, except null_dirty_cpu and null_dirty_io.
#include "shapes.h"

#include <erl_nif.h>

#include <string.h>

#define FLOOR_JOBS 64

struct floor_job {
    ErlNifPid caller;
    ErlNifEnv *env;
    ERL_NIF_TERM reference; // lives in env
};

// One worker thread and a ring of jobs; `lock` guards everything but the thread's id. `copy` is
// memory of the library's own that floor_copy uses again, guarded by `copy_lock`.
struct floor_worker {
    ErlNifMutex *lock;
    ErlNifCond *work;
    ErlNifTid thread;
    struct floor_job ring[FLOOR_JOBS];
    unsigned first, queued;
    int stopping;
    ErlNifMutex *copy_lock;
    unsigned char *copy;
    size_t copy_bytes;
};

static ERL_NIF_TERM floor_atom_ok;

static ERL_NIF_TERM floor_null(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    (void)env;
    (void)argc;
    (void)argv;
    return floor_atom_ok;
}

static ERL_NIF_TERM floor_same(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    (void)env;
    (void)argc;
    return argv[0];
}

// In and out by memcpy, as any service has to whose values live in its own memory.
static ERL_NIF_TERM floor_copy(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    (void)argc;
    struct floor_worker *worker = enif_priv_data(env);
    ErlNifBinary input;
    if (!enif_inspect_binary(env, argv[0], &input))
        return enif_make_badarg(env);
    enif_mutex_lock(worker->copy_lock);
    if (worker->copy_bytes < input.size) {
        unsigned char *larger = enif_realloc(worker->copy, input.size);
        if (larger == NULL) {
            enif_mutex_unlock(worker->copy_lock);
            return enif_raise_exception(env, enif_make_atom(env, "enomem"));
        }
        worker->copy = larger;
        worker->copy_bytes = input.size;
    }
    ERL_NIF_TERM output;
    unsigned char *data = enif_make_new_binary(env, input.size, &output);
    if (data == NULL) {
        output = enif_raise_exception(env, enif_make_atom(env, "enomem"));
    } else if (input.size > 0) {
        memcpy(worker->copy, input.data, input.size);
        memcpy(data, worker->copy, input.size);
    }
    enif_mutex_unlock(worker->copy_lock);
    return output;
}

static ERL_NIF_TERM floor_text(ErlNifEnv *env, const char *text, size_t length) {
    ERL_NIF_TERM term;
    unsigned char *data = enif_make_new_binary(env, length, &term);
    memcpy(data, text, length);
    return term;
}

static ERL_NIF_TERM floor_build_list(ErlNifEnv *env, int n) {
    ERL_NIF_TERM *items = enif_alloc((size_t)n * sizeof *items);
    if (items == NULL)
        return enif_make_badarg(env);
    for (int i = 0; i < n; i++)
        items[i] = enif_make_int64(env, i + 1);
    ERL_NIF_TERM list = enif_make_list_from_array(env, items, (unsigned)n);
    enif_free(items);
    return list;
}

static ERL_NIF_TERM floor_build_map(ErlNifEnv *env, int n) {
    ERL_NIF_TERM *keys = enif_alloc(2 * (size_t)n * sizeof *keys);
    if (keys == NULL)
        return enif_make_badarg(env);
    ERL_NIF_TERM *values = keys + n;
    for (int i = 0; i < n; i++) {
        keys[i] = floor_text(env, shape_keys[i].text, shape_keys[i].length);
        values[i] = enif_make_int64(env, i + 1);
    }
    ERL_NIF_TERM map;
    if (!enif_make_map_from_arrays(env, keys, values, (size_t)n, &map))
        map = enif_make_badarg(env);
    enif_free(keys);
    return map;
}

static ERL_NIF_TERM floor_build_nested(ErlNifEnv *env, int depth) {
    ERL_NIF_TERM children[2];
    unsigned n = depth == 0 ? 0 : 2;
    for (unsigned i = 0; i < n; i++)
        children[i] = floor_build_nested(env, depth - 1);
    ERL_NIF_TERM keys[] = {floor_text(env, "id", 2), floor_text(env, "name", 4),
                           floor_text(env, "children", 8)};
    ERL_NIF_TERM values[] = {enif_make_int64(env, depth), floor_text(env, "node", 4),
                             enif_make_list_from_array(env, children, n)};
    ERL_NIF_TERM map;
    return enif_make_map_from_arrays(env, keys, values, 3, &map) ? map : enif_make_badarg(env);
}

static ERL_NIF_TERM floor_build(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    (void)argc;
    int kind, n;
    if (!enif_get_int(env, argv[0], &kind) || !enif_get_int(env, argv[1], &n) ||
        !shape_fits(kind, n))
        return enif_make_badarg(env);
    switch (kind) {
    case SHAPE_LIST:
        return floor_build_list(env, n);
    case SHAPE_MAP:
        return floor_build_map(env, n);
    default:
        return floor_build_nested(env, n);
    }
}

// A null job for the worker thread; the caller gets {Reference, ok}.
static ERL_NIF_TERM floor_job(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    (void)argc;
    struct floor_worker *worker = enif_priv_data(env);
    ERL_NIF_TERM result = floor_atom_ok;
    enif_mutex_lock(worker->lock);
    struct floor_job *job = &worker->ring[(worker->first + worker->queued) % FLOOR_JOBS];
    if (worker->queued == FLOOR_JOBS) {
        result = enif_make_badarg(env);
    } else {
        enif_self(env, &job->caller);
        job->reference = enif_make_copy(job->env, argv[0]);
        worker->queued++;
        enif_cond_signal(worker->work);
    }
    enif_mutex_unlock(worker->lock);
    return result;
}

static void *floor_serve(void *data) {
    struct floor_worker *worker = data;
    enif_mutex_lock(worker->lock);
    for (;;) {
        while (worker->queued == 0 && !worker->stopping)
            enif_cond_wait(worker->work, worker->lock);
        if (worker->stopping)
            break;
        struct floor_job *job = &worker->ring[worker->first];
        enif_mutex_unlock(worker->lock);
        // The slot stays this thread's until it is counted out below.
        enif_send(NULL, &job->caller, job->env,
                  enif_make_tuple2(job->env, job->reference, floor_atom_ok));
        enif_clear_env(job->env);
        enif_mutex_lock(worker->lock);
        worker->first = (worker->first + 1) % FLOOR_JOBS;
        worker->queued--;
    }
    enif_mutex_unlock(worker->lock);
    return NULL;
}

static void floor_release(struct floor_worker *worker) {
    for (int i = 0; i < FLOOR_JOBS; i++)
        if (worker->ring[i].env != NULL)
            enif_free_env(worker->ring[i].env);
    if (worker->work != NULL)
        enif_cond_destroy(worker->work);
    if (worker->lock != NULL)
        enif_mutex_destroy(worker->lock);
    if (worker->copy_lock != NULL)
        enif_mutex_destroy(worker->copy_lock);
    if (worker->copy != NULL)
        enif_free(worker->copy);
    enif_free(worker);
}

static int floor_load(ErlNifEnv *env, void **priv_data, ERL_NIF_TERM info) {
    (void)info;
    floor_atom_ok = enif_make_atom(env, "ok");
    shape_keys_init();
    struct floor_worker *worker = enif_alloc(sizeof *worker);
    if (worker == NULL)
        return -1;
    memset(worker, 0, sizeof *worker);
    worker->lock = enif_mutex_create("tripod_floor_jobs");
    worker->work = enif_cond_create("tripod_floor_jobs");
    worker->copy_lock = enif_mutex_create("tripod_floor_copy");
    int complete = worker->lock != NULL && worker->work != NULL && worker->copy_lock != NULL;
    for (int i = 0; i < FLOOR_JOBS && complete; i++) {
        worker->ring[i].env = enif_alloc_env();
        complete = worker->ring[i].env != NULL;
    }
    if (!complete ||
        enif_thread_create("tripod_floor", &worker->thread, floor_serve, worker, NULL) != 0) {
        floor_release(worker);
        return -1;
    }
    *priv_data = worker;
    return 0;
}

static void floor_unload(ErlNifEnv *env, void *priv_data) {
    (void)env;
    struct floor_worker *worker = priv_data;
    enif_mutex_lock(worker->lock);
    worker->stopping = 1;
    enif_cond_signal(worker->work);
    enif_mutex_unlock(worker->lock);
    enif_thread_join(worker->thread, NULL);
    floor_release(worker);
}

static ErlNifFunc floor_functions[] = {
    {"null", 0, floor_null, 0},
    {"null", 1, floor_same, 0},
    {"null_dirty_cpu", 1, floor_same, ERL_NIF_DIRTY_JOB_CPU_BOUND},
    {"null_dirty_io", 1, floor_same, ERL_NIF_DIRTY_JOB_IO_BOUND},
    {"copy", 1, floor_copy, 0},
    {"build_nif", 2, floor_build, 0},
    {"job_nif", 1, floor_job, 0},
};

ERL_NIF_INIT(tripod_floor_nif, floor_functions, floor_load, NULL, NULL, floor_unload)
