// SPDX-License-Identifier: Apache-2.0
// What a C service provides, and what its host provides to it. This is the whole interface that a
// service needs to be reached as a port program, a port driver and a NIF.
//
// A host is one instance's view of whoever runs it (core/box.c in all three rooms). An instance is
// used by one thread at a time, but not always by the same one: between two calls of these
// functions it may move to another thread. The stop word is the one thing that other threads touch.
#ifndef TRIPOD_SERVICE_H
#define TRIPOD_SERVICE_H

#include "term.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SERVICE_ABI 1u

// Bits of the stop word that a service looks at; all others belong to the host.
#define SERVICE_STOP_INTERRUPT 0x1u // end this call with {error, interrupted}; stay usable
#define SERVICE_STOP_CLOSE     0x2u // end this call as soon as possible; nobody waits for the reply
#define SERVICE_STOP_MASK      (SERVICE_STOP_INTERRUPT | SERVICE_STOP_CLOSE)

enum service_log_level { SERVICE_LOG_ERROR, SERVICE_LOG_WARNING, SERVICE_LOG_INFO };

// How blocks of the host's memory begin that are given back together.
struct service_block {
    struct service_block *next;
    size_t bytes; // of the block, this header included
};

struct service_host {
    void *context; // handed to every function below
    // malloc, realloc and free in one, as Lua's allocator: `size` 0 frees and returns NULL; `old`
    // is exact. NULL when the system has no memory, the old block is then untouched. Counts every
    // byte for the census.
    void *(*memory)(void *context, void *block, size_t old, size_t size);
    // Gives back all blocks of two lists, `total` bytes in all; of large amounts later, on another
    // thread. May be NULL: give them back one by one then.
    void (*bury)(void *context, struct service_block *const lists[2], size_t total);
    // Owned by the host and alive as long as the instance, so a late interrupt never touches a
    // closed one. Read it with service_stopped().
    const _Atomic(uint32_t) *stop;
    // Monotonic nanoseconds from an arbitrary origin.
    uint64_t (*now_ns)(void *context);
    // For a step that has run a whole slice and cannot return yet: call it about once a slice. It
    // may set the stop word (the port program looks at its standard input here). May be NULL.
    void (*tick)(void *context);
    // `text` is borrowed; not terminated. May be called from within begin and step only.
    void (*log)(void *context, enum service_log_level level, const char *text, size_t length);
};

// Relaxed is enough: the word carries no data, and a bit that is seen one poll later is still seen.
static inline uint32_t service_stopped(const struct service_host *host) {
    return atomic_load_explicit(host->stop, memory_order_relaxed) & SERVICE_STOP_MASK;
}

enum service_preempt { SERVICE_PREEMPT_TIMER, SERVICE_PREEMPT_COUNT };

// Owned by the host, alive as long as the instance. Only `time_ns` changes, between calls.
struct service_limits {
    size_t memory_bytes; // soft cap on the instance's memory; the host's hard cap lies above it
    uint64_t time_ns;    // for each call, from begin to the reply
    uint64_t slice_ns;   // a step returns MORE after about this long; 0: only when it is done
    uint32_t depth;      // nested C calls, and nesting of values in both directions
    size_t reply_bytes;  // size of a reply in external term format
    enum service_preempt preempt;
};

struct service_usage {
    size_t live_bytes; // what the instance's values occupy, without the allocator's overhead
};

enum service_status {
    SERVICE_DONE = 0, // the sink holds the reply
    SERVICE_MORE = 1, // call step again, with an emptied sink; what this one holds is void
    // The sink holds a question to the caller; the call goes on when begin has brought the answer.
    SERVICE_ASK = 2,
};

// A negative code ends the instance: the host calls close and answers {down, Why} from then on.
// Codes of enum term_error, when the host's own sink gave up, end it likewise; all but
// TERM_E_LATER.
enum service_error {
    SERVICE_E_MEMORY = -32, // the hard cap was hit where the service could not unwind
    SERVICE_E_SYSTEM = -33, // the system refused memory or a thread
    SERVICE_E_BROKEN = -34, // an invariant of the service does not hold
    SERVICE_E_TIME = -35,   // a call that had to end could only be cut off
};

struct service {
    uint32_t abi;     // SERVICE_ABI
    const char *name; // what `service => Name` says at open
    // Creates an instance. `host` and `limits` are borrowed until close has returned. On failure
    // nothing is left behind and *state is untouched.
    int (*open)(const struct service_host *host, const struct service_limits *limits, void **state);
    // Takes one request; called only when no call is in progress. `request` is walked at most once
    // and not kept. A request that makes no sense is not an error here: the reply says so. A walk
    // that ends with TERM_E_LATER does: begin forgets the request and returns that code, and comes
    // again with the same request on a thread that has the time.
    int (*begin)(void *state, struct term_source *request);
    // Goes on with the call. With SERVICE_DONE the sink holds one whole term, {ok, Value} or
    // {error, Reason}; its bytes stay valid until the next begin or close. Failures of user code
    // are replies. No longjmp or exception of the service ever crosses a sink's or source's frame.
    // When the sink says TERM_E_LATER, step returns that code, and starts the reply over when it is
    // called again, as after SERVICE_MORE.
    int (*step)(void *state, struct term_sink *reply);
    // May be called between begin and the last step too, by the thread that owns the instance.
    void (*usage)(const void *state, struct service_usage *usage);
    // Gives everything back, also in the middle of a call (between two steps). Never blocks.
    void (*close)(void *state);
};

// The services built into this artefact (core/services.c); NULL when there is none of that name.
const struct service *service_find(const char *name, size_t length);

#endif
