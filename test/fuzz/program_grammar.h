// SPDX-License-Identifier: Apache-2.0
// Lua programs from bytes: every byte is one decision, so that a fuzzer can shrink a program and
// grow it, and the same bytes are the same program anywhere. No bytes are the shortest program.
//
// A program calls only what is on the sandbox's allow-list, ends by itself (every loop and function
// asks `stop()`, which runs out), and writes what it sees into the global table LOG, as strings.
// Most of its statements run in a pcall of their own, so that an error, of which there are many,
// does not end it.
//
// What a program must not do, because a difference there is none that matters:
// - show an address, or an order that depends on one: what goes into a string is a scalar or an
//   object with __tostring; print's output is dropped;
// - show the order of keys: each state hashes strings with a seed of its own, and tables and
//   functions by their addresses. The prelude's `walk`, `sorted` and `after` hide it; only of a
//   fresh list are the keys seen as they come. What is left shows rarely (program_fuzz.c counts):
//   where keys collide decides when a table grows, and so which border one with holes has;
// - go deep or grow large: running out of stack or memory is no error that can be caught;
// - __gc (refused), string.dump and binary chunks (not there), collectgarbage's settings and counts
//   (the service's own), os.clock, os.time and os.date without a time (the clock), weak tables
//   (what is collected depends on what lies in dead registers), math.random without a seed;
// - the order in which table.sort compares: only what has one order is sorted, by comparators that
//   nobody sees at work;
// - counts that keep one C function of the stock library busy for ages: nothing can stop it there;
// - string.rep and others with sizes between what is possible and what is too large for any string.
#ifndef TRIPOD_FUZZ_PROGRAM_GRAMMAR_H
#define TRIPOD_FUZZ_PROGRAM_GRAMMAR_H

#include <stddef.h>
#include <stdint.h>

#define PROGRAM_BYTES ((size_t)48 * 1024)

struct program {
    char text[PROGRAM_BYTES]; // terminated
    size_t length;
};

void program_generate(struct program *program, const uint8_t *data, size_t size);

// One nonterminal: `$N` in a phrase is one of N's phrases, and `@` a number that is unique to the
// phrase's instance. `$$` is a dollar. The first `short_ones` lead to an end.
struct program_rule {
    char name;
    unsigned short_ones;
    const char *const *phrases; // NULL ends them; at most 255
};

// The rules, each list in the file of its name, up to one without a name.
extern const struct program_rule program_phrases[];
extern const struct program_rule program_statements[];
extern const struct program_rule program_calls[];
extern const struct program_rule program_texts[];

#endif
