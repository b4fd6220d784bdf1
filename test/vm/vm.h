// SPDX-License-Identifier: Apache-2.0
// A stand-in for the VM: as much of erl_nif as the NIF uses, on POSIX threads. With it the whole
// NIF runs under ThreadSanitizer, to which the VM's own locks and atomics, being no pthread calls
// and not instrumented, would be no order between threads at all.
//
// It keeps erl_nif's promises about threads and no others: an environment belongs to one thread at
// a time, resources are counted, a monitor fires at most once, on the thread on which its process
// dies, and never on a resource whose destructor runs. What the VM does later or elsewhere (a
// destructor, a message's delivery) is done at once, which adds no order between threads.
// Terms are made in a simple way of its own. A misuse is an abort.
#ifndef TRIPOD_TEST_VM_H
#define TRIPOD_TEST_VM_H

#include <erl_nif.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vm_process;
struct vm_node; // a term that is not immediate; vm_terms.c

struct enif_environment_t {
    struct vm_process *process; // NULL: of nobody's
    struct vm_node *nodes;
    int slice_percent;
    // What enif_schedule_nif asked for.
    ERL_NIF_TERM (*next)(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);
    int next_argc;
    ERL_NIF_TERM next_argv[8];
};

// vm_terms.c. A term is an atom, a pid or the address of a node in some environment.
enum { VM_TAG_NODE, VM_TAG_ATOM, VM_TAG_PID, VM_TAG_NIL, VM_TAG_BITS = 3 };
static inline ERL_NIF_TERM vm_immediate(size_t index, unsigned tag) {
    return (ERL_NIF_TERM)(index << VM_TAG_BITS | tag);
}
static inline unsigned vm_tag(ERL_NIF_TERM term) {
    return (unsigned)(term & ((1u << VM_TAG_BITS) - 1));
}
ERL_NIF_TERM vm_atom(const char *name);
ERL_NIF_TERM vm_bytes(ErlNifEnv *env, const char *text);
// Element `i` of a tuple; aborts when there is none.
ERL_NIF_TERM vm_element(ERL_NIF_TERM tuple, unsigned i);

// vm_processes.c
struct vm_monitor;
struct vm_message;
struct vm_process {
    size_t index;
    _Atomic(bool) alive; // relaxed: what the VM promises of it is no order either
    pthread_mutex_t lock;
    pthread_cond_t arrived;
    struct vm_monitor *monitors; // guarded by `lock`, as what follows
    struct vm_message *first, *last;
};
// None is forgotten before vm_forget, when there is one thread again.
struct vm_process *vm_spawn(void);
void vm_forget(void);
struct vm_process *vm_process_at(size_t index); // NULL: none yet
ERL_NIF_TERM vm_pid(const struct vm_process *process);
bool vm_alive(const struct vm_process *process);
// Kills it, unless it is dead. Its monitors fire before this returns. Any thread.
void vm_exit(struct vm_process *process);
// False: it is dead.
bool vm_send(struct vm_process *to, ERL_NIF_TERM message);
// The next message, copied into `env`; waits for it. 0: none came until a deadline, or it is dead.
ERL_NIF_TERM vm_receive(struct vm_process *process, ErlNifEnv *env);
// As the VM calls a NIF of the library on behalf of the process of `env`, again and again while it
// asks for that. 0: the process died in between.
ERL_NIF_TERM vm_call(const ErlNifEntry *library, ErlNifEnv *env, const char *name, int argc,
                     const ERL_NIF_TERM argv[]);

// vm_resources.c
size_t vm_resources(void); // how many there are
void vm_monitors_fire(struct vm_process *process);
size_t vm_monitors(struct vm_process *process); // how many resources watch it
size_t vm_waiting(void); // threads that wait for a condition of the library's
// Aborts when this thread holds a lock of the library's.
void vm_enter(void);

// Moments at which other threads may be faster than a NIF.
enum vm_moment {
    VM_MONITORS,    // it is about to watch a process
    VM_MONITORED,   // it watches, or was refused, and does not know yet
    VM_DEMONITORS,  // it is about to stop watching
    VM_DEMONITORED, // it does not watch any more, or was too late
    VM_ASKS,        // it is about to ask whether a process is alive
    VM_FIRES,       // a monitor cannot be removed any more, and its `down` was not called yet
    VM_MOMENTS
};
// The next time that it comes to it, `act` is called, once. Not while several threads may come to
// it.
void vm_at(enum vm_moment moment, void (*act)(void *data), void *data);
void vm_reach(enum vm_moment moment);
// The library's mutexes keep nobody out any more: what relies on them is a race. For the test of
// the test, before there is a second thread.
void vm_break_locks(void);

#endif
