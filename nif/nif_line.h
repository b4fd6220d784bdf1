// SPDX-License-Identifier: Apache-2.0
// The requests of one box that wait for a thread, in the order in which they were sent. A part of
// every box that the pool (nif_pool.c) fills and empties; all of it is guarded by the pool's lock.
#ifndef TRIPOD_NIF_LINE_H
#define TRIPOD_NIF_LINE_H

#include <erl_nif.h>
#include <stdbool.h>
#include <stddef.h>

struct nif_box;
struct nif_job;

struct nif_line {
    struct nif_box *next;  // the box behind this one, while it waits for a thread
    struct nif_job *first; // the one in progress, if `running`
    struct nif_job *last;
    size_t jobs;
    size_t bytes;     // that their requests take
    bool held;        // some are there, so the pool holds a reference to the box
    bool running;     // a thread has taken the first
    bool waiting;     // `waiter` found no room, and is told when there is some
    ErlNifPid waiter; // the owner
};

#endif
