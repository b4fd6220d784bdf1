// SPDX-License-Identifier: Apache-2.0
// Memory, resources, monitors, threads and locks of the stand-in.
#include "vm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// Before the object's own bytes.
struct vm_resource {
    _Alignas(max_align_t) _Atomic(size_t) references;
    _Atomic(size_t) monitors; // entries that name it
};

// Guarded by the lock of the process that is monitored.
struct vm_monitor {
    struct vm_monitor *next;
    struct vm_resource *resource;
    uint64_t id;
};

// What an ErlNifMonitor holds.
struct vm_monitor_name {
    uint64_t process, id;
};

struct enif_resource_type_t {
    ErlNifResourceTypeInit init;
};
struct ErlDrvMutex_ {
    pthread_mutex_t mutex;
};
static _Thread_local unsigned vm_held; // of these, by this thread
static _Atomic(size_t) vm_waiters;
struct ErlDrvCond_ {
    pthread_cond_t cond;
};
struct ErlDrvTid_ {
    pthread_t thread;
};

static struct enif_resource_type_t vm_type;
static _Atomic(size_t) vm_live;
static _Atomic(uint64_t) vm_monitor_id;
static bool vm_broken; // written before there are threads
static struct {
    void (*act)(void *data);
    void *data;
} vm_moments[VM_MOMENTS]; // likewise, or there are none

size_t vm_resources(void) {
    return atomic_load(&vm_live);
}

void vm_break_locks(void) {
    vm_broken = true;
}

// Whoever calls the VM with a lock of its own may meet that lock again in there, and keeps others
// waiting for whatever the VM is at. Not checked where the VM does not call back: memory, terms.
void vm_enter(void) {
    if (vm_held > 0)
        abort();
}

size_t vm_waiting(void) {
    return atomic_load_explicit(&vm_waiters, memory_order_relaxed);
}

void vm_at(enum vm_moment moment, void (*act)(void *data), void *data) {
    vm_moments[moment].act = act;
    vm_moments[moment].data = data;
}

void vm_reach(enum vm_moment moment) {
    void (*act)(void *data) = vm_moments[moment].act;
    if (act == NULL)
        return;
    vm_moments[moment].act = NULL;
    act(vm_moments[moment].data);
}

void *enif_alloc(size_t size) {
    return malloc(size);
}

void *enif_realloc(void *block, size_t size) {
    return realloc(block, size);
}

void enif_free(void *block) {
    free(block);
}

ErlNifResourceType *enif_init_resource_type(ErlNifEnv *env, const char *name,
                                            const ErlNifResourceTypeInit *init,
                                            ErlNifResourceFlags flags, ErlNifResourceFlags *tried) {
    (void)env, (void)name, (void)flags, (void)tried;
    vm_type.init = *init;
    return &vm_type;
}

static struct vm_resource *vm_header(void *object) {
    return (struct vm_resource *)object - 1;
}

void *enif_alloc_resource(ErlNifResourceType *type, size_t size) {
    (void)type;
    struct vm_resource *resource = malloc(sizeof *resource + size);
    if (resource == NULL)
        return NULL;
    atomic_init(&resource->references, 1);
    atomic_init(&resource->monitors, 0);
    atomic_fetch_add(&vm_live, 1);
    return resource + 1;
}

void enif_keep_resource(void *object) {
    if (atomic_fetch_add_explicit(&vm_header(object)->references, 1, memory_order_relaxed) == 0)
        abort();
}

// False: its destructor runs, or is about to.
static bool vm_keep_if_any(struct vm_resource *resource) {
    size_t references = atomic_load_explicit(&resource->references, memory_order_relaxed);
    while (references > 0)
        if (atomic_compare_exchange_weak_explicit(&resource->references, &references,
                                                  references + 1, memory_order_relaxed,
                                                  memory_order_relaxed))
            return true;
    return false;
}

// Takes one monitor of the resource's from the process: that of `id`, or any when it is 0.
static bool vm_monitor_take(struct vm_process *process, const struct vm_resource *resource,
                            uint64_t id) {
    (void)pthread_mutex_lock(&process->lock);
    struct vm_monitor **link = &process->monitors;
    while (*link != NULL && ((*link)->resource != resource || (id != 0 && (*link)->id != id)))
        link = &(*link)->next;
    struct vm_monitor *found = *link;
    if (found != NULL) {
        *link = found->next;
        atomic_fetch_sub_explicit(&found->resource->monitors, 1, memory_order_relaxed);
    }
    (void)pthread_mutex_unlock(&process->lock);
    free(found);
    return found != NULL;
}

static void vm_destroy(struct vm_resource *resource) {
    ErlNifEnv env = {.process = NULL};
    vm_type.init.dtor(&env, resource + 1);
    enif_clear_env(&env);
    for (size_t i = 0; atomic_load(&resource->monitors) > 0; i++) {
        struct vm_process *process = vm_process_at(i);
        if (process == NULL)
            abort();
        while (vm_monitor_take(process, resource, 0))
            continue;
    }
    free(resource);
    atomic_fetch_sub(&vm_live, 1);
}

void enif_release_resource(void *object) {
    struct vm_resource *resource = vm_header(object);
    vm_enter();
    size_t before = atomic_fetch_sub_explicit(&resource->references, 1, memory_order_acq_rel);
    if (before == 0)
        abort();
    if (before == 1)
        vm_destroy(resource);
}

int enif_monitor_process(ErlNifEnv *env, void *object, const ErlNifPid *pid,
                         ErlNifMonitor *monitor) {
    (void)env;
    struct vm_process *process = vm_process_at(pid->pid >> VM_TAG_BITS);
    struct vm_monitor *entry = malloc(sizeof *entry);
    if (process == NULL || entry == NULL)
        abort();
    vm_enter();
    vm_reach(VM_MONITORS);
    entry->resource = vm_header(object);
    entry->id = atomic_fetch_add_explicit(&vm_monitor_id, 1, memory_order_relaxed) + 1;
    const struct vm_monitor_name name = {process->index, entry->id};
    (void)pthread_mutex_lock(&process->lock);
    bool alive = vm_alive(process);
    if (alive) {
        atomic_fetch_add_explicit(&entry->resource->monitors, 1, memory_order_relaxed);
        entry->next = process->monitors;
        process->monitors = entry;
    }
    (void)pthread_mutex_unlock(&process->lock);
    vm_reach(VM_MONITORED);
    if (!alive) {
        free(entry);
        return 1;
    }
    if (monitor != NULL)
        memcpy(monitor, &name, sizeof name);
    return 0;
}

int enif_demonitor_process(ErlNifEnv *env, void *object, const ErlNifMonitor *monitor) {
    (void)env;
    struct vm_monitor_name name;
    memcpy(&name, monitor, sizeof name);
    struct vm_process *process = vm_process_at(name.process);
    if (process == NULL)
        abort();
    vm_enter();
    vm_reach(VM_DEMONITORS);
    bool taken = vm_monitor_take(process, vm_header(object), name.id);
    vm_reach(VM_DEMONITORED);
    return taken ? 0 : 1;
}

size_t vm_monitors(struct vm_process *process) {
    size_t monitors = 0;
    (void)pthread_mutex_lock(&process->lock);
    for (struct vm_monitor *entry = process->monitors; entry != NULL; entry = entry->next)
        monitors++;
    (void)pthread_mutex_unlock(&process->lock);
    return monitors;
}

// Those of resources that are being destroyed stay where the destroyer finds them.
static struct vm_monitor *vm_monitors_take(struct vm_process *process) {
    struct vm_monitor *fire = NULL;
    (void)pthread_mutex_lock(&process->lock);
    for (struct vm_monitor **link = &process->monitors; *link != NULL;) {
        struct vm_monitor *entry = *link;
        if (vm_keep_if_any(entry->resource)) {
            *link = entry->next;
            atomic_fetch_sub_explicit(&entry->resource->monitors, 1, memory_order_relaxed);
            entry->next = fire;
            fire = entry;
        } else {
            link = &entry->next;
        }
    }
    (void)pthread_mutex_unlock(&process->lock);
    return fire;
}

void vm_monitors_fire(struct vm_process *process) {
    ErlNifEnv env = {.process = process};
    ErlNifPid pid = {vm_pid(process)};
    for (struct vm_monitor *fire = vm_monitors_take(process); fire != NULL;) {
        struct vm_monitor *next = fire->next;
        const struct vm_monitor_name name = {process->index, fire->id};
        ErlNifMonitor monitor;
        memcpy(&monitor, &name, sizeof name);
        vm_reach(VM_FIRES);
        vm_type.init.down(&env, fire->resource + 1, &pid, &monitor);
        enif_release_resource(fire->resource + 1);
        free(fire);
        fire = next;
    }
    enif_clear_env(&env);
}

ErlNifMutex *enif_mutex_create(char *name) {
    (void)name;
    struct ErlDrvMutex_ *mutex = malloc(sizeof *mutex);
    if (mutex != NULL)
        (void)pthread_mutex_init(&mutex->mutex, NULL);
    return mutex;
}

void enif_mutex_destroy(ErlNifMutex *mutex) {
    (void)pthread_mutex_destroy(&mutex->mutex);
    free(mutex);
}

void enif_mutex_lock(ErlNifMutex *mutex) {
    if (vm_broken)
        return;
    (void)pthread_mutex_lock(&mutex->mutex);
    vm_held++;
}

void enif_mutex_unlock(ErlNifMutex *mutex) {
    if (vm_broken)
        return;
    vm_held--;
    (void)pthread_mutex_unlock(&mutex->mutex);
}

ErlNifCond *enif_cond_create(char *name) {
    (void)name;
    struct ErlDrvCond_ *cond = malloc(sizeof *cond);
    if (cond != NULL)
        (void)pthread_cond_init(&cond->cond, NULL);
    return cond;
}

void enif_cond_destroy(ErlNifCond *cond) {
    (void)pthread_cond_destroy(&cond->cond);
    free(cond);
}

void enif_cond_signal(ErlNifCond *cond) {
    (void)pthread_cond_signal(&cond->cond);
}

void enif_cond_broadcast(ErlNifCond *cond) {
    (void)pthread_cond_broadcast(&cond->cond);
}

void enif_cond_wait(ErlNifCond *cond, ErlNifMutex *mutex) {
    struct timespec soon;
    if (!vm_broken) {
        atomic_fetch_add_explicit(&vm_waiters, 1, memory_order_relaxed);
        (void)pthread_cond_wait(&cond->cond, &mutex->mutex);
        atomic_fetch_sub_explicit(&vm_waiters, 1, memory_order_relaxed);
        return;
    }
    (void)clock_gettime(CLOCK_REALTIME, &soon);
    soon.tv_sec += 1; // a signal can be missed
    (void)pthread_mutex_lock(&mutex->mutex);
    (void)pthread_cond_timedwait(&cond->cond, &mutex->mutex, &soon);
    (void)pthread_mutex_unlock(&mutex->mutex);
}

ErlNifThreadOpts *enif_thread_opts_create(char *name) {
    (void)name;
    return calloc(1, sizeof(ErlNifThreadOpts));
}

void enif_thread_opts_destroy(ErlNifThreadOpts *options) {
    free(options);
}

int enif_thread_create(char *name, ErlNifTid *thread, void *(*run)(void *), void *data,
                       ErlNifThreadOpts *options) {
    (void)name, (void)options;
    *thread = malloc(sizeof **thread);
    return *thread == NULL ? -1 : pthread_create(&(*thread)->thread, NULL, run, data);
}

int enif_thread_join(ErlNifTid thread, void **result) {
    int failed = pthread_join(thread->thread, result);
    free(thread);
    return failed;
}

void enif_system_info(ErlNifSysInfo *info, size_t size) {
    memset(info, 0, size);
    info->scheduler_threads = 3;
}
