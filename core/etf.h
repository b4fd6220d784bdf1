// SPDX-License-Identifier: Apache-2.0
// The external term format: a source that reads a bounded buffer, a sink that writes one.
//
// Reads and writes exactly what crosses in the contract: integers of 64 bits, floats, atoms,
// binaries, lists, tuples and maps. Everything else that the format has (pids, funs, references,
// larger integers, bit strings, improper lists) is TERM_E_TYPE; bytes that are not the format are
// TERM_E_CORRUPT. The reader never trusts a length or a count before it has seen that many bytes.
// Format: OTP's "External Term Format" (erts/doc, erl_ext_dist), version 131.
//
// Knows neither the BEAM nor Lua. A reader or writer is used by one thread at a time.
#ifndef TRIPOD_ETF_H
#define TRIPOD_ETF_H

#include "service.h"
#include "term.h"

#include <stddef.h>
#include <stdint.h>

// A source. `data` starts with the version byte 131 and is borrowed until the walk has ended; the
// bytes() events point into it. The whole buffer must be one term: trailing bytes are
// TERM_E_CORRUPT, which is known, as an improper tail is, only after the events before it.
// `depth` bounds nesting and recursion: as many containers, empty ones too, may be open at once,
// one more is TERM_E_DEPTH; 0 admits scalars only.
//
// begin() carries the exact number of elements. STRING_EXT becomes a list of integers, Latin-1
// atoms become UTF-8, an integer may be stored wider than it needs. TERM_E_TYPE as well: a
// compressed term (its real size is not bounded by the buffer's), the textual FLOAT_EXT (only
// minor_version 0 writes it), a list whose tail is a list again (no term_to_binary writes it).
// Equal keys in a map are passed on: finding them is left to a sink that has to compare keys
// anyway.
struct etf_reader {
    struct term_source source;
    const uint8_t *data;
    size_t length;
    uint32_t depth;
};

void etf_reader_init(struct etf_reader *reader, const void *data, size_t length, uint32_t depth);

#define ETF_WRITER_DEPTH 256u

// A sink into memory of a host's. The buffer is kept across etf_writer_reset, so that a writer that
// is used again allocates only to grow. Once one whole term was emitted, data + headroom up to
// length is that term, the version byte first; before the first event `data` may be NULL.
//
// While a container is open its header counts in full against max_bytes: five bytes, two for a
// tuple announced with 1 to 255 elements. So an empty list needs four bytes more than it leaves.
struct etf_writer {
    struct term_sink sink;
    const struct service_host *host; // source of memory
    uint8_t *data;
    size_t length; // headroom and version byte included
    size_t capacity;
    size_t headroom;  // bytes left free in front, for the user's own frame header
    size_t max_bytes; // a longer term is TERM_E_SIZE; includes the version byte, not the headroom
    uint32_t depth;   // containers open now; more than ETF_WRITER_DEPTH is TERM_E_DEPTH
    size_t opened[ETF_WRITER_DEPTH]; // where each open container's header begins
};

// Allocates nothing. `host` is borrowed until etf_writer_release.
void etf_writer_init(struct etf_writer *writer, const struct service_host *host, size_t headroom,
                     size_t max_bytes);
// Empties it for the next term, also after a failure; keeps the buffer.
void etf_writer_reset(struct etf_writer *writer);
// Gives the buffer back. The writer is then as etf_writer_init left it.
void etf_writer_release(struct etf_writer *writer);

#endif
