// SPDX-License-Identifier: Apache-2.0
// A request on its way onto the stack of `call`, shared by sandbox_request.c, which begins and
// judges it, and sandbox_push.c, the sink that its values go through. Lives on begin's C stack.
#ifndef TRIPOD_SANDBOX_REQUEST_H
#define TRIPOD_SANDBOX_REQUEST_H

#include "sandbox.h"

// Frames 0 and 1 are the request's tuple and the spread list.
#define REQUEST_FRAMES (SANDBOX_MAX_DEPTH + 2u)

enum request_refusal {
    REQUEST_FINE,
    REQUEST_UNSUPPORTED, // no such verb, or arguments that do not fit it
    REQUEST_BADTERM,     // at the place where the sink stands
    REQUEST_MEMORY,
    REQUEST_STOPPED, // sandbox->stop says why
};

// Without the timer: how many values between two looks at the clock and the stop word.
#define REQUEST_LOOK_EVERY 256u

struct request_frame {
    enum term_kind kind;
    bool spread;    // elements stay on the stack
    bool has_key;   // a map's key is on the stack, its value comes next
    uint8_t keys;   // kinds of keys so far
    int table;      // stack index
    lua_Integer n;  // elements, or pairs, that the source announced
    lua_Integer at; // elements that are complete; pairs, without those whose value is nil
};

struct request {
    struct term_sink sink;
    struct sandbox *sandbox;
    lua_State *call;
    const char *spec; // of the verb: what each argument must be; NULL until it is known
    uint32_t depth;   // open containers, the request's tuple included
    size_t argument;  // which one is being received
    uint32_t until_look;
    enum request_refusal refused;
    char verb[32];
    struct request_frame frames[REQUEST_FRAMES];
};

// sandbox_push.c
extern const struct term_sink_ops request_ops;

// Notes why, unless an earlier reason stands; the code that makes the source stop.
static inline int request_refuse(struct request *request, enum request_refusal why) {
    if (request->refused == REQUEST_FINE)
        request->refused = why;
    return TERM_E_TYPE;
}

#endif
