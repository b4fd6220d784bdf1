// SPDX-License-Identifier: Apache-2.0
#include "nif_register.h"

#include "nif_box.h"

#include <stdatomic.h>
#include <stddef.h>

struct nif_kind {
    struct nif_kind *next;
    ErlNifResourceType *type; // of the VM's; without boxes perhaps no more, so never looked into
    size_t boxes;             // that were not destroyed yet
};

static unsigned register_loads; // guarded by the VM's code modification permission
static ErlNifMutex *register_lock;
static ErlNifCond *register_closed; // a box is not `closing` any more
// The type of new boxes. Changes in a load, when no NIF of an earlier one can begin any more, but a
// dirty one may be about to read it.
static _Atomic(ErlNifResourceType *) register_type;
static _Atomic(bool) register_earlier; // there are types beside it
// What follows is guarded by register_lock.
static struct nif_kind *register_kinds; // the first is that of register_type
static struct nif_entry register_open, register_condemned, register_ended;
static size_t register_closing; // how many boxes are
static bool register_halting;

static struct nif_box *register_box(struct nif_entry *entry) {
    return (struct nif_box *)((char *)entry - offsetof(struct nif_box, entry));
}

static void register_empty(struct nif_entry *list) {
    list->next = list->previous = list;
}

static void register_link(struct nif_entry *list, struct nif_entry *entry) {
    entry->next = list->next;
    entry->previous = list;
    list->next->previous = entry;
    list->next = entry;
}

static void register_unlink(struct nif_entry *entry) {
    entry->next->previous = entry->previous;
    entry->previous->next = entry->next;
}

// Puts all of `from` before what is in the list.
static void register_move(struct nif_entry *list, struct nif_entry *from) {
    if (from->next == from)
        return;
    from->previous->next = list->next;
    list->next->previous = from->previous;
    from->next->previous = list;
    list->next = from->next;
    register_empty(from);
}

// Forgets types without boxes, except the first. The VM frees such a type, and its address may
// become that of somebody else's, whose resources must not pass for boxes.
static void register_forget(void) {
    struct nif_kind **link = &register_kinds->next;
    while (*link != NULL) {
        struct nif_kind *kind = *link;
        if (kind->boxes > 0) {
            link = &kind->next;
        } else {
            *link = kind->next;
            enif_free(kind);
        }
    }
    atomic_store_explicit(&register_earlier, register_kinds->next != NULL, memory_order_release);
}

// Puts the type first. With boxes it is that of the load before, which this one takes over from;
// without any its address may be that of a type that is gone.
static void register_take(struct nif_kind *fresh, ErlNifResourceType *type) {
    struct nif_kind **link = &register_kinds;
    while (*link != NULL && (*link)->type != type)
        link = &(*link)->next;
    struct nif_kind *kind = *link;
    if (kind == NULL) {
        kind = fresh;
        *kind = (struct nif_kind){.type = type};
    } else {
        *link = kind->next;
        enif_free(fresh);
    }
    kind->next = register_kinds;
    register_kinds = kind;
    register_forget();
    atomic_store_explicit(&register_type, type, memory_order_release);
}

static void register_end(void) {
    if (register_loads > 0)
        return;
    while (register_kinds != NULL) {
        struct nif_kind *kind = register_kinds;
        register_kinds = kind->next;
        enif_free(kind);
    }
    if (register_lock != NULL)
        enif_mutex_destroy(register_lock);
    if (register_closed != NULL)
        enif_cond_destroy(register_closed);
}

static bool register_begin(void) {
    if (register_loads > 0)
        return true;
    char lock[] = "tripod_nif_register", closed[] = "tripod_nif_closed";
    register_lock = enif_mutex_create(lock);
    register_closed = enif_cond_create(closed);
    register_empty(&register_open);
    register_empty(&register_condemned);
    register_empty(&register_ended);
    if (register_lock != NULL && register_closed != NULL)
        return true;
    register_end();
    return false;
}

bool nif_register_load(ErlNifEnv *env, const char *name, const ErlNifResourceTypeInit *init) {
    if (!register_begin())
        return false;
    struct nif_kind *fresh = enif_alloc(sizeof *fresh);
    const ErlNifResourceFlags flags =
        (ErlNifResourceFlags)(ERL_NIF_RT_CREATE | ERL_NIF_RT_TAKEOVER);
    ErlNifResourceType *type =
        fresh != NULL ? enif_init_resource_type(env, name, init, flags, NULL) : NULL;
    if (type == NULL) {
        if (fresh != NULL)
            enif_free(fresh);
        register_end();
        return false;
    }
    enif_mutex_lock(register_lock);
    register_take(fresh, type);
    enif_mutex_unlock(register_lock);
    register_loads++;
    return true;
}

void nif_register_unload(void) {
    register_loads--;
    register_end();
}

struct nif_box *nif_register_alloc(void) {
    ErlNifResourceType *type = atomic_load_explicit(&register_type, memory_order_acquire);
    struct nif_box *box = enif_alloc_resource(type, sizeof *box);
    if (box != NULL)
        box->entry = (struct nif_entry){.kind = NULL};
    return box;
}

// The first type is still the one that the box was allocated with: a load that brings another comes
// after the purge of the code that is opening this box.
bool nif_register_enter(struct nif_box *box) {
    enif_mutex_lock(register_lock);
    bool enters = !register_halting;
    if (enters) {
        box->entry.kind = register_kinds;
        register_kinds->boxes++;
        register_link(&register_open, &box->entry);
    }
    enif_mutex_unlock(register_lock);
    return enters;
}

void nif_register_leave(struct nif_box *box) {
    struct nif_kind *kind = box->entry.kind;
    if (kind == NULL)
        return;
    enif_mutex_lock(register_lock);
    while (box->entry.closing)
        enif_cond_wait(register_closed, register_lock);
    register_unlink(&box->entry);
    kind->boxes--;
    if (kind->boxes == 0 && kind != register_kinds)
        register_forget();
    enif_mutex_unlock(register_lock);
}

static struct nif_box *register_find_earlier(ErlNifEnv *env, ERL_NIF_TERM handle) {
    void *found = NULL;
    enif_mutex_lock(register_lock);
    for (struct nif_kind *kind = register_kinds->next; kind != NULL; kind = kind->next)
        if (enif_get_resource(env, handle, kind->type, &found))
            break;
    enif_mutex_unlock(register_lock);
    return found;
}

struct nif_box *nif_register_find(ErlNifEnv *env, ERL_NIF_TERM handle) {
    void *found;
    ErlNifResourceType *type = atomic_load_explicit(&register_type, memory_order_acquire);
    if (enif_get_resource(env, handle, type, &found))
        return found;
    return atomic_load_explicit(&register_earlier, memory_order_acquire)
               ? register_find_earlier(env, handle)
               : NULL;
}

void nif_register_condemn(void) {
    enif_mutex_lock(register_lock);
    register_move(&register_condemned, &register_open);
    enif_mutex_unlock(register_lock);
}

// Nobody's reference keeps a box of the list: its destructor may have begun, and one that has
// cannot be stopped. It waits for `closing`, as the box's memory stays until it returns.
static void register_close_oldest(ErlNifEnv *env) {
    struct nif_entry *entry = register_condemned.previous;
    register_unlink(entry);
    register_link(&register_ended, entry);
    entry->closing = true;
    register_closing++;
    enif_mutex_unlock(register_lock);
    nif_box_close(env, register_box(entry));
    enif_mutex_lock(register_lock);
    entry->closing = false;
    register_closing--;
    enif_cond_broadcast(register_closed);
}

void nif_register_close(ErlNifEnv *env) {
    enif_mutex_lock(register_lock);
    while (register_condemned.next != &register_condemned)
        register_close_oldest(env);
    while (register_closing > 0) // by somebody else
        enif_cond_wait(register_closed, register_lock);
    enif_mutex_unlock(register_lock);
}

static void register_halt_list(const struct nif_entry *list) {
    for (struct nif_entry *entry = list->next; entry != list; entry = entry->next)
        (void)gate_close(&register_box(entry)->box.gate);
}

void nif_register_halt(void) {
    enif_mutex_lock(register_lock);
    register_halting = true;
    register_halt_list(&register_open);
    register_halt_list(&register_condemned);
    enif_mutex_unlock(register_lock);
}
