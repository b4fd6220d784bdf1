// SPDX-License-Identifier: Apache-2.0
// How values travel between a host (the VM, a pipe) and a C service: as events, never as a tree.
//
// A source emits one term as a sequence of events into a sink. An ETF buffer, a NIF term and a Lua
// value are sources; an ETF buffer, a NIF environment, an ErlDrvTermData array and a Lua stack are
// sinks. Any source can be walked into any sink, so neither side knows the other.
//
//   {ok, [1, <<"a">>]}   =>   begin(TUPLE, 2) atom("ok") begin(LIST, 2) integer(1) bytes("a")
//                             end(LIST, 2) end(TUPLE, 2)
//
// Knows neither the BEAM nor Lua. Sources and sinks are used by one thread at a time.
#ifndef TRIPOD_TERM_H
#define TRIPOD_TERM_H

#include <stddef.h>
#include <stdint.h>

enum term_kind { TERM_LIST, TERM_TUPLE, TERM_MAP };

// Why a walk stopped. Zero goes on; services use codes from -32 downwards (service.h).
enum term_error {
    TERM_OK = 0,
    TERM_E_MEMORY = -1,  // the sink could not get memory
    TERM_E_DEPTH = -2,   // nested deeper than the reader's or the sink's limit
    TERM_E_SIZE = -3,    // larger than the sink's limit
    TERM_E_TYPE = -4,    // a value that cannot cross: pid, fun, bignum, improper list, ...
    TERM_E_CORRUPT = -5, // truncated or malformed input; nothing after it can be trusted
    TERM_E_LATER = -6,   // too much to do on this thread; nothing is wrong with the term
};

struct term_sink;

// Every function returns 0 to go on, or a negative code that the source returns unchanged at once.
// A sink that returned a negative code must not be called again until its owner has reset it.
struct term_sink_ops {
    int (*integer)(struct term_sink *sink, int64_t value);
    // `value` is finite: neither NaN nor an infinity exists in Erlang.
    int (*real)(struct term_sink *sink, double value);
    // `name`: `length` bytes of UTF-8, at most 255 characters, borrowed during the call.
    int (*atom)(struct term_sink *sink, const char *name, size_t length);
    // `data` may be NULL when `length` is 0. Who keeps the bytes alive, and for how long, is said
    // by the source; a service keeps the bytes of a reply until its next `begin` or `close`.
    int (*bytes)(struct term_sink *sink, const void *data, size_t length);
    // Opens a container. `n` is the number of elements (pairs, for a map) if the source knows it
    // already, otherwise 0: a hint for reserving space. For a map, keys and values alternate.
    int (*begin)(struct term_sink *sink, enum term_kind kind, size_t n);
    // Closes the innermost container; `n` is exact.
    int (*end)(struct term_sink *sink, enum term_kind kind, size_t n);
};

// Embedded first in a concrete sink, which casts the pointer back.
struct term_sink {
    const struct term_sink_ops *ops;
};

// `walk` emits exactly one term and returns 0, or stops with a negative code: the sink's own, or
// one of enum term_error. It recurses no deeper than the source's stated limit.
struct term_source {
    int (*walk)(struct term_source *source, struct term_sink *sink);
};

static inline int term_walk(struct term_source *source, struct term_sink *sink) {
    return source->walk(source, sink);
}

static inline int term_integer(struct term_sink *sink, int64_t value) {
    return sink->ops->integer(sink, value);
}

static inline int term_real(struct term_sink *sink, double value) {
    return sink->ops->real(sink, value);
}

static inline int term_atom(struct term_sink *sink, const char *name, size_t length) {
    return sink->ops->atom(sink, name, length);
}

static inline int term_bytes(struct term_sink *sink, const void *data, size_t length) {
    return sink->ops->bytes(sink, data, length);
}

static inline int term_begin(struct term_sink *sink, enum term_kind kind, size_t n) {
    return sink->ops->begin(sink, kind, n);
}

static inline int term_end(struct term_sink *sink, enum term_kind kind, size_t n) {
    return sink->ops->end(sink, kind, n);
}

// An atom written as a string literal.
#define TERM_ATOM(sink, literal) term_atom((sink), "" literal, sizeof(literal) - 1)

#endif
