// SPDX-License-Identifier: Apache-2.0
// A box: one instance of a service as every room holds it. Opening, calling, stopping, counting and
// freeing exactly once live here, so that a room only moves terms and events.
//
//   result = box_begin(box, request, 0);
//   while (result == BOX_MORE)
//       result = box_step(box, emptied sink);      // a room may leave the thread in between
//   if (result != BOX_DONE)
//       box_explain(box, result, emptied sink);    // {error, closed} and the like
//
// The thread that calls begin or step owns the instance until it returns. box_interrupt, box_close
// and the readers may be called by any thread at any time while the struct itself is alive.
#ifndef TRIPOD_BOX_H
#define TRIPOD_BOX_H

#include "census.h"
#include "gate.h"
#include "service.h"

#include <stdbool.h>
#include <stdint.h>

// What a room lends its boxes.
struct box_room {
    // Like service_host's, without a context: enif_alloc, driver_alloc, malloc behind it. With a
    // reaper (reaper.h) also called by its thread.
    void *(*memory)(void *block, size_t old, size_t size);
    uint64_t (*now_ns)(void);
    void (*tick)(void *room_data); // may be NULL
    void (*log)(void *room_data, enum service_log_level level, const char *text, size_t length);
};

struct box {
    struct gate gate;
    bool inside; // this call holds BUSY; touched only by the thread that runs the call
    // Its last reply was a question, and the next begin goes on with it. Written by the thread that
    // runs the call, before it gives the gate back.
    _Atomic(bool) asking;
    int down; // the negative code that ended the instance, or 0; likewise
    const struct service *service;
    void *state; // NULL once closed
    struct service_host host;
    struct service_limits limits;
    uint64_t default_time_ns;
    const struct box_room *room;
    void *room_data;
    struct census_entry census;
};

enum box_result {
    BOX_DONE,   // the sink holds the reply
    BOX_MORE,   // step again
    BOX_LATER,  // the request's source or the reply's sink said TERM_E_LATER: see below
    BOX_CLOSED, // closed before or during the call; the instance is gone
    BOX_DOWN,   // the instance ended itself, now or earlier
    BOX_TAKEN,  // another call is in progress
};

// How deep a room lets a request nest. The service accepts `depth` levels of the user's values
// inside a term of its own, and it, not the reader, is to find the level too much: it can say
// where.
static inline uint32_t box_request_depth(const struct box *box) {
    return box->limits.depth + 8;
}

// 0, or a negative code with nothing left behind: no memory, no census entry.
int box_open(struct box *box, const struct service *service, const struct service_limits *limits,
             const struct box_room *room, void *room_data);

// Starts a call, or goes on with one whose last reply was a question. `time_ns` replaces the box's
// time limit for this call; 0 keeps it.
// Never BOX_DONE; `request` is not used after it returns. BOX_LATER: the call is in progress, but
// the request is still to be taken, by box_begin_again.
enum box_result box_begin(struct box *box, struct term_source *request, uint64_t time_ns);
enum box_result box_begin_again(struct box *box, struct term_source *request);
// Goes on with the call after BOX_MORE. What `reply` holds counts only with BOX_DONE. BOX_LATER:
// step again, with a sink that takes more.
enum box_result box_step(struct box *box, struct term_sink *reply);
// Writes the reply for the three results that carry none; 0 or the sink's code.
int box_explain(const struct box *box, enum box_result result, struct term_sink *reply);

// Ends the call in progress with {error, interrupted}. False: there is none.
bool box_interrupt(struct box *box);
// Frees the instance: at once, or when the thread that is inside comes out. Idempotent.
void box_close(struct box *box);

struct box_usage {
    uint64_t bytes;      // native bytes held now
    uint64_t peak_bytes; // the most ever held
    uint64_t calls;      // calls begun so far
    uint64_t live_bytes; // what the service's values occupy
};
// BOX_DONE, or BOX_CLOSED, BOX_DOWN, BOX_TAKEN as box_begin, with *usage untouched.
enum box_result box_usage(struct box *box, struct box_usage *usage);

// The Why of {down, Why}, as the same atom name on every strategy.
const char *box_down_reason(int code);

#endif
