// SPDX-License-Identifier: Apache-2.0
// The external term format: a source that reads a bounded buffer, a sink that writes one.
//
// Reads and writes exactly what crosses in the contract: integers of 64 bits, floats, atoms,
// binaries, lists, tuples and maps. Everything else that the format has (pids, funs, references,
// larger integers, bit strings, improper lists) is TERM_E_TYPE; bytes that are not the format are
// TERM_E_CORRUPT. The reader never trusts a length or a count before it has seen that many bytes.
// Format: OTP's "External Term Format" (erts/doc, erl_ext_dist), version 131.
#ifndef TRIPOD_ETF_H
#define TRIPOD_ETF_H

#include "service.h"
#include "term.h"

#include <stddef.h>
#include <stdint.h>

// A source. `data` starts with the version byte 131 and is borrowed until the walk has ended; the
// bytes() and atom() events point into it. Emits nothing of a compressed term (tag 80):
// TERM_E_TYPE, because its real size is not bounded by the buffer's. STRING_EXT becomes a list of
// integers, Latin-1 atoms become UTF-8. The whole buffer must be one term: trailing bytes are
// TERM_E_CORRUPT. `depth` bounds nesting (and recursion): deeper is TERM_E_DEPTH.
struct etf_reader {
    struct term_source source;
    const uint8_t *data;
    size_t length;
    uint32_t depth;
};

void etf_reader_init(struct etf_reader *reader, const void *data, size_t length, uint32_t depth);

// A sink into memory of a host's. The buffer is kept across etf_writer_reset, so that a writer that
// is used again allocates only to grow.
struct etf_writer {
    struct term_sink sink;
    const struct service_host *host; // source of memory
    uint8_t *data;                   // the term so far, from `headroom` on
    size_t length;                   // headroom included
    size_t capacity;
    size_t headroom;    // bytes left free in front, for the user's own frame header
    size_t max_bytes;   // a longer term is TERM_E_SIZE; excludes the headroom
    uint32_t depth;     // containers open now; more than ETF_WRITER_DEPTH is TERM_E_DEPTH
    size_t opened[256]; // where each open container's header begins
};

#define ETF_WRITER_DEPTH 256u

void etf_writer_init(struct etf_writer *writer, const struct service_host *host, size_t headroom,
                     size_t max_bytes);
// Empties it for the next term; keeps the buffer.
void etf_writer_reset(struct etf_writer *writer);
void etf_writer_release(struct etf_writer *writer);

#endif
