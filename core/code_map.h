// SPDX-License-Identifier: Apache-2.0
// Whose code an address is: for a signal handler that asks what it interrupted.
#ifndef TRIPOD_CODE_MAP_H
#define TRIPOD_CODE_MAP_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Executable segments of some loaded objects, or parts of them. An object has one, or two when the
// linker split it.
#define CODE_MAP_SPANS 8u

struct code_map {
    struct code_span {
        uintptr_t from, to;
    } spans[CODE_MAP_SPANS];
    size_t used;
};

// Adds all code of the object (executable or shared library) that `address` lies in. False: none is
// found, or there are too many segments; nothing was added. Not in a signal handler.
bool code_map_add(struct code_map *map, uintptr_t address);

// Adds a part of an object. False: there are too many.
bool code_map_add_span(struct code_map *map, uintptr_t from, uintptr_t to);

// Async-signal-safe.
static inline bool code_map_has(const struct code_map *map, uintptr_t address) {
    for (size_t i = 0; i < map->used; i++)
        if (address >= map->spans[i].from && address < map->spans[i].to)
            return true;
    return false;
}

// What a handler with SA_SIGINFO interrupted, from its third argument; 0 where that is not known.
static inline uintptr_t code_interrupted_at(const void *context) {
    const ucontext_t *thread = context;
#if defined(__x86_64__) && defined(REG_RIP)
    return (uintptr_t)thread->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return (uintptr_t)thread->uc_mcontext.pc;
#else
    (void)thread;
    return 0;
#endif
}

#endif
