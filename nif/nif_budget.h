// SPDX-License-Identifier: Apache-2.0
// How much of a term one conversion may walk or build on a normal scheduler, which it must not hold
// for more than a millisecond. A conversion that would go beyond gives up with TERM_E_LATER, and is
// done anew on a thread that nobody waits for (nif_call.c). What it did until then is garbage, so
// the budget bounds that too.
//
// Counted in elements of containers; what takes longer counts for several. One took 15 to 65 ns in
// either direction (a small integer, a binary that becomes a string), so that a request and a reply
// of a whole budget each, which one invocation may see, come to 0.8 ms at their worst.
#ifndef TRIPOD_NIF_BUDGET_H
#define TRIPOD_NIF_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NIF_BUDGET_NORMAL ((size_t)8192)
#define NIF_BUDGET_NONE   SIZE_MAX // on other threads: more than there can be

#define NIF_BUDGET_BYTES     256u // bytes of a binary for one element
#define NIF_BUDGET_PAIR      4u   // a pair of a map that is walked, or built with more than 32
#define NIF_BUDGET_WIDE_ATOM 64u  // by way of the external term format

// False: it is used up.
static inline bool nif_budget_take(size_t *budget, size_t elements) {
    if (elements > *budget)
        return false;
    *budget -= elements;
    return true;
}

#endif
