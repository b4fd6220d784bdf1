// SPDX-License-Identifier: Apache-2.0
// A box of the Lua service for fuzzers: no VM, a clock that moves only when it is read, memory that
// is counted. A request is a whole term in the external term format, and so is its reply.
//
// Fuzzers are built with SANDBOX_COUNT=1 and SANDBOX_POLL_STEPS=2 (see the Makefile), so a look at
// the clock follows every instruction of a script and every second step of a loop in C: time is
// counted in instructions, the same on every machine, and a pause can be had anywhere.
//
// One box at a time. Whatever a check here finds ends the process.
#ifndef TRIPOD_FUZZ_RIG_H
#define TRIPOD_FUZZ_RIG_H

#include "box.h"
#include "etf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What libFuzzer, or replay.c, calls.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Says what does not hold and aborts.
void rig_require(bool holds, const char *what);

struct rig {
    struct box box;
    enum box_result result;  // of the last request
    struct etf_writer reply; // the last reply, written out
};

// How a box is to be run.
struct rig_plan {
    size_t memory_bytes;
    size_t reply_bytes;
    uint64_t looks;       // at the clock, until a call's time is over
    uint32_t pause_every; // so many looks, from 2 on; 0: the call never pauses
    uint32_t depth;
};

void rig_open(struct rig *rig, const struct rig_plan *plan);
// Carries one request to its end. Requires of the reply: one whole term by the rules of
// core/term.h, {ok, _} or {error, _}, which the reader accepts.
void rig_request(struct rig *rig, const void *data, size_t length);
// {eval, Source, []} and {get, Name}
void rig_eval(struct rig *rig, const char *source, size_t length);
void rig_get(struct rig *rig, const char *name);
// Is the last reply {ok, _}?
bool rig_is_ok(const struct rig *rig);
// Walks the last reply into a sink.
void rig_read(const struct rig *rig, struct term_sink *sink);
// Requires that a box that is not down answers 1 + 1.
void rig_check_alive(struct rig *rig);
// Closes the box and requires that every byte came back.
void rig_close(struct rig *rig);

#endif
