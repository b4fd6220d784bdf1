// SPDX-License-Identifier: Apache-2.0
#include "sandbox_match.h"

#include <stdlib.h>
#include <string.h>

_Noreturn static void match_refuse(const struct match *match, const char *message) {
    (void)luaL_error(match->L, "%s", message);
    abort();
}

static enum match_result match_pause_at(struct match *match, enum match_place place,
                                        const unsigned char *subject,
                                        const unsigned char *pattern) {
    match->place = place;
    match->subject_at = subject;
    match->pattern_at = pattern;
    return MATCH_PAUSED;
}

// Every frame is a level of recursion in the stock matcher, whose first level has none.
static inline struct match_frame *match_add_frame(struct match *match, enum match_retry retry) {
    if (match->used == MATCH_LEVELS - 1)
        match_refuse(match, "pattern too complex");
    struct match_frame *frame = &match->frames[match->used++];
    frame->retry = retry;
    return frame;
}

static inline void match_open(struct match *match, const unsigned char *at, ptrdiff_t length) {
    if (match->levels == MATCH_CAPTURES)
        match_refuse(match, "too many captures");
    match->captures[match->levels++] = (struct match_capture){at, length};
    (void)match_add_frame(match, MATCH_UNDO_OPEN);
}

static inline void match_close(struct match *match, const unsigned char *at) {
    unsigned index = match->levels;
    do {
        if (index == 0)
            match_refuse(match, "invalid pattern capture");
        index--;
    } while (match->captures[index].length != MATCH_OPEN);
    match->captures[index].length = at - match->captures[index].start;
    match_add_frame(match, MATCH_UNDO_CLOSE)->capture = index;
}

// Where the item accepts no more, or `until`.
static inline const unsigned char *match_span(const struct item *item, const unsigned char *at,
                                              const unsigned char *until) {
    if (item->kind == ITEM_CHARACTER)
        while (at < until && *at == item->character)
            at++;
    else
        while (at < until && item_has(item->bits, *at))
            at++;
    return at;
}

// Moves match->reached as far as the item repeats. True: a pause is due, call it again.
static bool match_run(struct match *match, const struct item *item) {
    const unsigned char *end = match->subject_end;
    if (item->kind == ITEM_ANY) {
        match->reached = end;
        return false;
    }
    for (;;) {
        const unsigned char *from = match->reached;
        const unsigned char *until =
            end - from > MATCH_BLOCK_BYTES ? from + MATCH_BLOCK_BYTES : end;
        match->reached = match_span(item, from, until);
        if (sandbox_spend(match->L, match->sandbox, (size_t)(match->reached - from)))
            return true;
        if (match->reached != until || until == end)
            return false;
    }
}

// Follows %b, whose two characters are at `pair`, from match->reached to its end, with match->depth
// open before. MATCH_FOUND: it ends at match->reached.
static enum match_result match_balance(struct match *match, const unsigned char *pair) {
    const unsigned char *end = match->subject_end;
    while (match->reached < end) {
        const unsigned char *from = match->reached;
        const unsigned char *until =
            end - from > MATCH_BLOCK_BYTES ? from + MATCH_BLOCK_BYTES : end;
        const unsigned char *at = from;
        while (at < until) {
            unsigned character = *at++;
            if (character == pair[1]) {
                if (--match->depth == 0) {
                    match->reached = at;
                    sandbox_book(match->sandbox, (size_t)(at - from));
                    return MATCH_FOUND;
                }
            } else if (character == pair[0]) {
                match->depth++;
            }
        }
        match->reached = until;
        if (sandbox_spend(match->L, match->sandbox, (size_t)(until - from)))
            return MATCH_PAUSED;
    }
    return MATCH_NONE;
}

// Between a character outside of the set and one inside; what is before the start and behind the
// end counts as a NUL. *after is what follows in the pattern.
static bool match_frontier(struct match *match, const unsigned char *at,
                           const unsigned char *pattern, const unsigned char **after) {
    struct item set;
    if (*pattern != '[')
        match_refuse(match, "missing '[' after '%f' in pattern");
    item_read(&match->reader, pattern, &set);
    *after = set.after;
    unsigned before = at == match->subject ? 0 : at[-1];
    unsigned here = at == match->subject_end ? 0 : *at;
    return !item_has(set.bits, before) && item_has(set.bits, here);
}

static const struct match_capture *match_earlier(const struct match *match, unsigned digit) {
    unsigned index = digit - '1';
    if (index >= match->levels || match->captures[index].length == MATCH_OPEN)
        (void)luaL_error(match->L, "invalid capture index %%%d", (int)digit - '0');
    return &match->captures[index];
}

enum match_result match_attempt(struct match *match) {
    const unsigned char *const subject_end = match->subject_end;
    const unsigned char *const pattern_end = match->pattern_end;
    const unsigned char *s = match->subject_at;
    const unsigned char *p = match->pattern_at;
    struct match_frame *frame;
    struct item item;
    enum match_place place = match->place;
    match->place = MATCH_AT_ITEM;
    if (place == MATCH_AT_RUN) {
        item_read(&match->reader, p, &item);
        goto run;
    }
    if (place == MATCH_AT_BALANCE)
        goto balance;
next:
    if (p == pattern_end) {
        match->end = s;
        return MATCH_FOUND;
    }
    if (sandbox_spend(match->L, match->sandbox, 1))
        return match_pause_at(match, MATCH_AT_ITEM, s, p);
    switch (*p) {
    case '(': {
        bool position = p[1] == ')';
        match_open(match, s, position ? MATCH_POSITION : MATCH_OPEN);
        p += position ? 2 : 1;
        goto next;
    }
    case ')':
        match_close(match, s);
        p += 1;
        goto next;
    case '$':
        if (p + 1 != pattern_end)
            break;
        if (s != subject_end)
            goto retry;
        match->end = s;
        return MATCH_FOUND;
    case '%':
        switch (p[1]) {
        case 'b':
            if (pattern_end - p < 4)
                match_refuse(match, "malformed pattern (missing arguments to '%b')");
            if (s == subject_end || *s != p[2])
                goto retry;
            match->reached = s + 1;
            match->depth = 1;
            goto balance;
        case 'f': {
            const unsigned char *after;
            if (!match_frontier(match, s, p + 2, &after))
                goto retry;
            p = after;
            goto next;
        }
        case '0':
        case '1':
        case '2':
        case '3':
        case '4':
        case '5':
        case '6':
        case '7':
        case '8':
        case '9': {
            const struct match_capture *earlier = match_earlier(match, p[1]);
            size_t length = (size_t)earlier->length; // that of a position fits nowhere
            if (length > (size_t)(subject_end - s))
                goto retry;
            if (sandbox_spend(match->L, match->sandbox, length / 16))
                return match_pause_at(match, MATCH_AT_ITEM, s, p);
            if (!match_same(match->L, match->sandbox, earlier->start, s, length))
                goto retry;
            s += length;
            p += 2;
            goto next;
        }
        default:
            break;
        }
        break;
    default:
        break;
    }
    item_read(&match->reader, p, &item);
    switch (*item.after) {
    case '?':
        p = item.after + 1;
        if (s < subject_end && item_accepts(&item, *s)) {
            frame = match_add_frame(match, MATCH_WITHOUT);
            frame->subject = s;
            frame->pattern = p;
            s++;
        }
        goto next;
    case '-':
        if (s < subject_end && item_accepts(&item, *s)) {
            frame = match_add_frame(match, MATCH_MORE);
            frame->subject = s;
            frame->pattern = p;
        }
        p = item.after + 1;
        goto next;
    case '+':
        if (s == subject_end || !item_accepts(&item, *s))
            goto retry;
        match->reached = ++s;
        goto run;
    case '*':
        if (s == subject_end || !item_accepts(&item, *s)) {
            p = item.after + 1;
            goto next;
        }
        match->reached = s;
        goto run;
    default:
        if (s == subject_end || !item_accepts(&item, *s))
            goto retry;
        s++;
        p = item.after;
        goto next;
    }
run:
    if (match_run(match, &item))
        return match_pause_at(match, MATCH_AT_RUN, s, p);
    frame = match_add_frame(match, MATCH_FEWER);
    frame->least = s;
    p = item.after + 1;
    s = match->reached;
    frame->subject = s;
    frame->pattern = p;
    goto next;
balance:
    switch (match_balance(match, p + 2)) {
    case MATCH_PAUSED:
        return match_pause_at(match, MATCH_AT_BALANCE, s, p);
    case MATCH_NONE:
        goto retry;
    case MATCH_FOUND:
        break;
    }
    s = match->reached;
    p += 4;
    goto next;
retry:
    for (; match->used > 0; match->used--) {
        frame = &match->frames[match->used - 1];
        switch (frame->retry) {
        case MATCH_UNDO_OPEN:
            match->levels--;
            break;
        case MATCH_UNDO_CLOSE:
            match->captures[frame->capture].length = MATCH_OPEN;
            break;
        case MATCH_WITHOUT:
            s = frame->subject;
            p = frame->pattern;
            match->used--;
            goto next;
        case MATCH_FEWER:
            if (frame->subject == frame->least)
                break;
            s = --frame->subject;
            p = frame->pattern;
            goto next;
        case MATCH_MORE:
            item_read(&match->reader, frame->pattern, &item);
            if (frame->subject == subject_end || !item_accepts(&item, *frame->subject))
                break;
            s = ++frame->subject;
            p = item.after + 1;
            goto next;
        }
    }
    return MATCH_NONE;
}
