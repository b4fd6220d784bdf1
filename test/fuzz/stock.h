// SPDX-License-Identifier: Apache-2.0
// Runs a program in stock Lua: the library's own functions under the names that the sandbox has.
// Knows nothing of the sandbox.
#ifndef TRIPOD_FUZZ_STOCK_H
#define TRIPOD_FUZZ_STOCK_H

#include "answer.h"

// At most so many instructions and bytes; more is ANSWER_LIMIT.
struct stock_bounds {
    unsigned long instructions;
    size_t memory_bytes;
    unsigned place; // where in memory the state lies, and so what it hashes strings with
};

#define STOCK_PLACES 64u

void stock_run(const char *source, size_t length, const struct stock_bounds *bounds,
               struct answer *answer);

#endif
