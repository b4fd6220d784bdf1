// SPDX-License-Identifier: Apache-2.0
#include "sandbox_match_item.h"

#include <stdlib.h>
#include <string.h>

// %z is no longer documented, but there.
#define ITEM_CLASS(letter, a, b, c, d)                                                             \
    [(letter) - 'a'] = {{(a), (b), (c), (d), 0, 0, 0, 0},                                          \
                        {~(a), ~(b), ~(c), ~(d), UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX}}

const uint32_t item_classes[26][2][ITEM_WORDS] = {
    ITEM_CLASS('a', 0x00000000u, 0x00000000u, 0x07fffffeu, 0x07fffffeu),
    ITEM_CLASS('c', 0xffffffffu, 0x00000000u, 0x00000000u, 0x80000000u),
    ITEM_CLASS('d', 0x00000000u, 0x03ff0000u, 0x00000000u, 0x00000000u),
    ITEM_CLASS('g', 0x00000000u, 0xfffffffeu, 0xffffffffu, 0x7fffffffu),
    ITEM_CLASS('l', 0x00000000u, 0x00000000u, 0x00000000u, 0x07fffffeu),
    ITEM_CLASS('p', 0x00000000u, 0xfc00fffeu, 0xf8000001u, 0x78000001u),
    ITEM_CLASS('s', 0x00003e00u, 0x00000001u, 0x00000000u, 0x00000000u),
    ITEM_CLASS('u', 0x00000000u, 0x00000000u, 0x07fffffeu, 0x00000000u),
    ITEM_CLASS('w', 0x00000000u, 0x03ff0000u, 0x07fffffeu, 0x07fffffeu),
    ITEM_CLASS('x', 0x00000000u, 0x03ff0000u, 0x0000007eu, 0x0000007eu),
    ITEM_CLASS('z', 0x00000001u, 0x00000000u, 0x00000000u, 0x00000000u),
};

#define ITEM_LETTER(letter) (1u << ((letter) - 'a'))
const uint32_t item_letters = ITEM_LETTER('a') | ITEM_LETTER('c') | ITEM_LETTER('d') |
                              ITEM_LETTER('g') | ITEM_LETTER('l') | ITEM_LETTER('p') |
                              ITEM_LETTER('s') | ITEM_LETTER('u') | ITEM_LETTER('w') |
                              ITEM_LETTER('x') | ITEM_LETTER('z');

const uint32_t item_all[ITEM_WORDS] = {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX,
                                       UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX};

_Noreturn void item_ends_early(struct item_reader *reader) {
    (void)luaL_error(reader->L, "malformed pattern (ends with '%%')");
    abort();
}

// Past the ] of the set whose first element is at `at`. The first element may be a ].
static const unsigned char *item_find_bracket(struct item_reader *reader, const unsigned char *at) {
    const unsigned char *look = at + SANDBOX_POLL_STEPS;
    do {
        if (at == reader->end)
            (void)luaL_error(reader->L, "malformed pattern (missing ']')");
        if (*at++ == '%' && at < reader->end)
            at++;
        if (at >= look) {
            (void)sandbox_spend(reader->L, reader->sandbox, SANDBOX_POLL_STEPS);
            look = at + SANDBOX_POLL_STEPS;
        }
    } while (*at != ']');
    return at + 1;
}

static void item_add(uint32_t *bits, unsigned character) {
    bits[character / 32] |= 1u << character % 32;
}

static void item_add_range(uint32_t *bits, unsigned first, unsigned last) {
    if (first > last)
        return;
    for (unsigned word = first / 32; word <= last / 32; word++) {
        uint32_t from = word == first / 32 ? UINT32_MAX << first % 32 : UINT32_MAX;
        uint32_t to = word == last / 32 ? UINT32_MAX >> (31 - last % 32) : UINT32_MAX;
        bits[word] |= from & to;
    }
}

static void item_add_class(uint32_t *bits, unsigned letter) {
    const uint32_t *class = item_class(letter);
    if (class == NULL)
        item_add(bits, letter);
    else
        for (size_t i = 0; i < ITEM_WORDS; i++)
            bits[i] |= class[i];
}

const struct item_set *item_read_set(struct item_reader *reader, const unsigned char *at) {
    struct item_set *set = &reader->sets[(uintptr_t)at % ITEM_SETS];
    const unsigned char *element = at + 1;
    bool negated = *element == '^';
    if (negated)
        element++;
    set->after = item_find_bracket(reader, element);
    const unsigned char *bracket = set->after - 1;
    uint32_t *bits = set->bits;
    memset(bits, 0, sizeof set->bits);
    unsigned steps = 0;
    // The end of a range may be the % of an escape: what it escapes then stands for itself, and an
    // escape may thus even take the ].
    for (; element < bracket; element++) {
        if (*element == '%') {
            element++;
            item_add_class(bits, *element);
        } else if (element[1] == '-' && element + 2 < bracket) {
            item_add_range(bits, *element, element[2]);
            element += 2;
        } else {
            item_add(bits, *element);
        }
        if (++steps == SANDBOX_POLL_STEPS) {
            (void)sandbox_spend(reader->L, reader->sandbox, steps);
            steps = 0;
        }
    }
    // For a loop that reads many sets again and again.
    sandbox_book(reader->sandbox, steps + ITEM_WORDS);
    if (negated)
        for (size_t i = 0; i < ITEM_WORDS; i++)
            bits[i] = ~bits[i];
    set->at = at;
    return set;
}
