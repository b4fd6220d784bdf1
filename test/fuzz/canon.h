// SPDX-License-Identifier: Apache-2.0
// A term as text in which the order of a map's pairs plays no part, so that two terms are equal if
// their texts are. Reading it as Lua would (`as_lua`) gives the text of what comes back of it by
// the table in docs/contract.md: atoms are strings, tuples lists, nil in a container is nothing,
// keys 1..n make a list.
#ifndef TRIPOD_FUZZ_CANON_H
#define TRIPOD_FUZZ_CANON_H

#include "term.h"

#include <stdbool.h>
#include <stddef.h>

#define CANON_DEPTH 512u

struct canon {
    struct term_sink sink;
    bool as_lua;
    bool lost;    // a map has two keys that are one
    bool keyless; // a map has a key that can be none: nil or a container
    size_t depth; // containers open now
    size_t deepest;
    char *text; // not terminated
    size_t length, capacity;
    size_t *starts; // in text, of the terms in the open containers
    size_t terms, terms_capacity;
    struct {
        enum term_kind kind;
        size_t text;  // where the container begins
        size_t terms; // where its own begin in `starts`
    } open[CANON_DEPTH];
};

void canon_init(struct canon *canon, bool as_lua);
void canon_release(struct canon *canon);
bool canon_equal(const struct canon *a, const struct canon *b);

#endif
