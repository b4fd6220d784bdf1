// SPDX-License-Identifier: Apache-2.0
// What one character may be, in a pattern: a character, any, a class (%a), or a set ([%a_]).
// Classes are those of the "C" locale, from a table: the process's locale is not the box's. Knows
// nothing of repetition, captures, or where in the subject it is asked.
#ifndef TRIPOD_SANDBOX_MATCH_ITEM_H
#define TRIPOD_SANDBOX_MATCH_ITEM_H

#include "sandbox.h"

// One bit for each of 256 characters.
#define ITEM_WORDS 8u

enum item_kind { ITEM_CHARACTER, ITEM_BITS, ITEM_ANY };

struct item {
    enum item_kind kind;
    unsigned char character;    // ITEM_CHARACTER
    const uint32_t *bits;       // NULL for ITEM_CHARACTER; all of them for ITEM_ANY
    const unsigned char *after; // in the pattern; a repetition may stand there
};

// Sets that were read lately, so that a loop over one reads it once.
#define ITEM_SETS 4u
struct item_set {
    const unsigned char *at; // NULL: none
    const unsigned char *after;
    uint32_t bits[ITEM_WORDS];
};

// Where the pattern ends; what it points to outlives the reader.
struct item_reader {
    lua_State *L;
    struct sandbox *sandbox;
    const unsigned char *end; // of the pattern, where a NUL stands
    struct item_set sets[ITEM_SETS];
};

static inline void item_reader_init(struct item_reader *reader, lua_State *L,
                                    struct sandbox *sandbox, const unsigned char *end) {
    reader->L = L;
    reader->sandbox = sandbox;
    reader->end = end;
    for (size_t i = 0; i < ITEM_SETS; i++)
        reader->sets[i].at = NULL;
}

static inline bool item_has(const uint32_t *bits, unsigned character) {
    return bits[character / 32] >> character % 32 & 1;
}

static inline bool item_accepts(const struct item *item, unsigned character) {
    return item->kind == ITEM_CHARACTER ? item->character == character
                                        : item_has(item->bits, character);
}

// By letter: each class, and its complement for the capital. Those that are none are empty.
extern const uint32_t item_classes[26][2][ITEM_WORDS];
extern const uint32_t item_letters; // a bit for each letter that is a class
extern const uint32_t item_all[ITEM_WORDS];

// The bits of the class %letter, or NULL when there is none.
static inline const uint32_t *item_class(unsigned letter) {
    unsigned index = (letter | 0x20u) - 'a';
    if (index >= 26 || !(item_letters >> index & 1))
        return NULL;
    return item_classes[index][letter & 0x20u ? 0 : 1];
}

// The set at `at`, where a [ stands; valid until another one is read. Raises "malformed pattern".
const struct item_set *item_read_set(struct item_reader *reader, const unsigned char *at);
_Noreturn void item_ends_early(struct item_reader *reader);

// Reads the item at `at`, which is before the end; its bits are valid until another one is read.
static inline void item_read(struct item_reader *reader, const unsigned char *at,
                             struct item *item) {
    item->kind = ITEM_CHARACTER;
    item->character = *at;
    item->bits = NULL;
    item->after = at + 1;
    switch (*at) {
    case '.':
        item->kind = ITEM_ANY;
        item->bits = item_all;
        break;
    case '[': {
        const struct item_set *set = &reader->sets[(uintptr_t)at % ITEM_SETS];
        if (set->at != at)
            set = item_read_set(reader, at);
        item->kind = ITEM_BITS;
        item->bits = set->bits;
        item->after = set->after;
        break;
    }
    case '%':
        if (at + 1 == reader->end)
            item_ends_early(reader);
        item->after = at + 2;
        item->character = at[1];
        item->bits = item_class(at[1]);
        if (item->bits != NULL)
            item->kind = ITEM_BITS;
        break;
    default:
        break;
    }
}

#endif
