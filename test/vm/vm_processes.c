// SPDX-License-Identifier: Apache-2.0
// Processes of the stand-in: a pid, a mailbox, a life that ends once. And calls of NIFs on their
// behalf.
#include "vm.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define VM_PROCESSES  100000
#define VM_DEADLINE_S 60

struct vm_message {
    struct vm_message *next;
    ErlNifEnv *env;
    ERL_NIF_TERM term;
};

static _Atomic(struct vm_process *) vm_table[VM_PROCESSES];
static _Atomic(size_t) vm_count;

struct vm_process *vm_spawn(void) {
    struct vm_process *process = calloc(1, sizeof *process);
    size_t index = atomic_fetch_add_explicit(&vm_count, 1, memory_order_relaxed);
    if (process == NULL || index >= VM_PROCESSES)
        abort();
    process->index = index;
    (void)pthread_mutex_init(&process->lock, NULL);
    (void)pthread_cond_init(&process->arrived, NULL);
    atomic_init(&process->alive, true);
    atomic_store_explicit(&vm_table[index], process, memory_order_release);
    return process;
}

void vm_forget(void) {
    for (size_t i = 0; i < vm_count; i++) {
        (void)pthread_mutex_destroy(&vm_table[i]->lock);
        (void)pthread_cond_destroy(&vm_table[i]->arrived);
        free(vm_table[i]);
    }
    vm_count = 0;
}

struct vm_process *vm_process_at(size_t index) {
    return index < VM_PROCESSES ? atomic_load_explicit(&vm_table[index], memory_order_acquire)
                                : NULL;
}

ERL_NIF_TERM vm_pid(const struct vm_process *process) {
    return vm_immediate(process->index, VM_TAG_PID);
}

bool vm_alive(const struct vm_process *process) {
    return atomic_load_explicit(&process->alive, memory_order_relaxed);
}

static struct vm_process *vm_process_of(const ErlNifPid *pid) {
    struct vm_process *process = vm_process_at(pid->pid >> VM_TAG_BITS);
    if (vm_tag(pid->pid) != VM_TAG_PID || process == NULL)
        abort();
    return process;
}

static void vm_message_drop(struct vm_message *message) {
    enif_free_env(message->env);
    free(message);
}

void vm_exit(struct vm_process *process) {
    if (!atomic_exchange_explicit(&process->alive, false, memory_order_relaxed))
        return;
    vm_monitors_fire(process);
    (void)pthread_mutex_lock(&process->lock);
    struct vm_message *message = process->first;
    process->first = process->last = NULL;
    (void)pthread_cond_broadcast(&process->arrived);
    (void)pthread_mutex_unlock(&process->lock);
    while (message != NULL) {
        struct vm_message *next = message->next;
        vm_message_drop(message);
        message = next;
    }
}

bool vm_send(struct vm_process *to, ERL_NIF_TERM term) {
    struct vm_message *message = calloc(1, sizeof *message);
    if (message == NULL)
        abort();
    message->env = enif_alloc_env();
    message->term = enif_make_copy(message->env, term);
    (void)pthread_mutex_lock(&to->lock);
    bool alive = vm_alive(to);
    if (alive) {
        if (to->first == NULL)
            to->first = message;
        else
            to->last->next = message;
        to->last = message;
        (void)pthread_cond_signal(&to->arrived);
    }
    (void)pthread_mutex_unlock(&to->lock);
    if (!alive)
        vm_message_drop(message);
    return alive;
}

int enif_send(ErlNifEnv *caller, const ErlNifPid *to, ErlNifEnv *env, ERL_NIF_TERM term) {
    (void)caller;
    vm_enter();
    bool sent = vm_send(vm_process_of(to), term);
    if (sent)
        enif_clear_env(env);
    return sent;
}

ERL_NIF_TERM vm_receive(struct vm_process *process, ErlNifEnv *env) {
    struct timespec until;
    int waited = 0;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += VM_DEADLINE_S;
    (void)pthread_mutex_lock(&process->lock);
    while (process->first == NULL && vm_alive(process) && waited == 0)
        waited = pthread_cond_timedwait(&process->arrived, &process->lock, &until);
    struct vm_message *message = process->first;
    if (message != NULL)
        process->first = message->next;
    (void)pthread_mutex_unlock(&process->lock);
    if (message == NULL)
        return 0;
    ERL_NIF_TERM term = enif_make_copy(env, message->term);
    vm_message_drop(message);
    return term;
}

ErlNifPid *enif_self(ErlNifEnv *env, ErlNifPid *pid) {
    if (env->process == NULL)
        return NULL;
    pid->pid = vm_pid(env->process);
    return pid;
}

int enif_get_local_pid(ErlNifEnv *env, ERL_NIF_TERM term, ErlNifPid *pid) {
    (void)env;
    pid->pid = term;
    return vm_tag(term) == VM_TAG_PID;
}

int enif_is_process_alive(ErlNifEnv *env, ErlNifPid *pid) {
    (void)env;
    vm_reach(VM_ASKS);
    return vm_alive(vm_process_of(pid));
}

ERL_NIF_TERM enif_make_badarg(ErlNifEnv *env) {
    (void)env;
    abort(); // no test gives a bad argument
}

int enif_consume_timeslice(ErlNifEnv *env, int percent) {
    env->slice_percent += percent;
    bool exhausted = env->slice_percent >= 100;
    if (exhausted)
        env->slice_percent = 0;
    return exhausted;
}

ERL_NIF_TERM enif_schedule_nif(ErlNifEnv *env, const char *name, int flags,
                               ERL_NIF_TERM (*function)(ErlNifEnv *, int, const ERL_NIF_TERM[]),
                               int argc, const ERL_NIF_TERM argv[]) {
    (void)name, (void)flags;
    env->next = function;
    env->next_argc = argc;
    memcpy(env->next_argv, argv, (size_t)argc * sizeof argv[0]);
    return 0;
}

ERL_NIF_TERM vm_call(const ErlNifEntry *library, ErlNifEnv *env, const char *name, int argc,
                     const ERL_NIF_TERM argv[]) {
    ERL_NIF_TERM (*function)(ErlNifEnv *, int, const ERL_NIF_TERM[]) = NULL;
    for (int i = 0; i < library->num_of_funcs; i++)
        if (strcmp(library->funcs[i].name, name) == 0 && (int)library->funcs[i].arity == argc)
            function = library->funcs[i].fptr;
    if (function == NULL)
        abort();
    env->next = NULL;
    ERL_NIF_TERM reply = function(env, argc, argv);
    while (env->next != NULL) {
        ERL_NIF_TERM again[8];
        function = env->next;
        env->next = NULL;
        memcpy(again, env->next_argv, sizeof again);
        if (!vm_alive(env->process))
            return 0;
        reply = function(env, env->next_argc, again);
    }
    return reply;
}

ErlNifTime enif_monotonic_time(ErlNifTimeUnit unit) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    return unit == ERL_NIF_NSEC ? ns : unit == ERL_NIF_USEC ? ns / 1000 : ns / 1000000;
}

int enif_fprintf(FILE *file, const char *format, ...) {
    va_list rest;
    va_start(rest, format);
    int written = vfprintf(file, format, rest);
    va_end(rest);
    return written;
}
