// SPDX-License-Identifier: Apache-2.0
// Where attempts to match are made: at the anchor, or wherever a match can begin.
#include "sandbox_match.h"

#include <string.h>

// If every match begins with a character of one item, reads that and tells where it stands:
// attempts elsewhere would fail without any other effect. Otherwise NULL. A malformed one is
// refused here, where the first attempt would.
static const unsigned char *match_first_item(struct match *match, struct item *item) {
    const unsigned char *p = match->pattern;
    for (unsigned captures = 0; *p == '(' && captures < 4; captures++)
        p += p[1] == ')' ? 2 : 1;
    switch (*p) {
    case '.': // accepts what an attempt would
    case '(':
    case ')':
    case '$':
        return NULL;
    case '%':
        if (p[1] == 'f' || (p[1] >= '0' && p[1] <= '9'))
            return NULL;
        if (p[1] != 'b')
            break;
        *item = (struct item){.kind = ITEM_CHARACTER, .character = p[2]};
        return match->pattern_end - p >= 4 ? p : NULL;
    default:
        if (p == match->pattern_end)
            return NULL;
        break;
    }
    item_read(&match->reader, p, item);
    return *item->after == '*' || *item->after == '?' || *item->after == '-' ? NULL : p;
}

static const unsigned char *match_find_item(const struct item *item, const unsigned char *at,
                                            const unsigned char *until) {
    if (item->kind == ITEM_CHARACTER) {
        const unsigned char *found = memchr(at, item->character, (size_t)(until - at));
        return found != NULL ? found : until;
    }
    while (at < until && !item_has(item->bits, *at))
        at++;
    return at;
}

// Moves match->start to the next character that the item accepts. MATCH_NONE: there is none.
static enum match_result match_skip(struct match *match, const struct item *item) {
    const unsigned char *end = match->subject_end;
    if (match->start < end && item_accepts(item, *match->start))
        return MATCH_FOUND;
    const ptrdiff_t bytes_a_step = item->kind == ITEM_CHARACTER ? 16 : 1;
    const ptrdiff_t block_bytes = bytes_a_step * MATCH_BLOCK_BYTES;
    while (match->start < end) {
        const unsigned char *from = match->start;
        const unsigned char *until = end - from > block_bytes ? from + block_bytes : end;
        match->start = match_find_item(item, from, until);
        size_t steps = (size_t)((match->start - from) / bytes_a_step);
        if (sandbox_spend(match->L, match->sandbox, steps))
            return MATCH_PAUSED;
        if (match->start != until)
            return MATCH_FOUND;
    }
    return MATCH_NONE;
}

static void match_begin(struct match *match) {
    match->levels = 0;
    match->used = 0;
    match->subject_at = match->start;
    match->pattern_at = match->pattern;
}

enum match_result match_search(struct match *match) {
    if (match->anchored) {
        if (match->place == MATCH_AT_START)
            match_begin(match);
        return match_attempt(match);
    }
    if (!match->first_known) {
        match->first_at = match_first_item(match, &match->first);
        match->first_known = true;
    }
    for (;;) {
        if (match->place == MATCH_AT_START) {
            match->used = 0; // a pause keeps them
            if (match->first_at != NULL) {
                if (*match->first_at == '[') // what it was read into may hold another by now
                    item_read(&match->reader, match->first_at, &match->first);
                enum match_result there = match_skip(match, &match->first);
                if (there != MATCH_FOUND)
                    return there;
            }
            match_begin(match);
        }
        enum match_result result = match_attempt(match);
        if (result == MATCH_PAUSED)
            return MATCH_PAUSED;
        match->place = MATCH_AT_START;
        if (result == MATCH_FOUND && match->end != match->last)
            return MATCH_FOUND;
        if (match->start == match->subject_end)
            return MATCH_NONE;
        match->start++;
    }
}
