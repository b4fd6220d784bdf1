// SPDX-License-Identifier: Apache-2.0
// Lua's patterns, matched under the call's limits. Every step is counted (sandbox_spend), so that
// the call can end or pause anywhere: a pattern can make matching exponential.
//
// The stock matcher calls itself for the rest of the pattern and so keeps what it may come back to
// on the C stack. Here that is an explicit stack of frames in struct match: as deep as the stock
// matcher's recursion may get, so that "pattern too complex" comes where it comes there; copied
// away when a pause is due, which a C stack is not; and no slower, there is no call to make.
//
// A search allocates nothing. struct match has some 8 KB: it may only be in frames that no Lua code
// is called from. Knows nothing of arguments, results and replacements.
#ifndef TRIPOD_SANDBOX_MATCH_H
#define TRIPOD_SANDBOX_MATCH_H

#include "sandbox_match_item.h"

// LUA_MAXCAPTURES and MAXCCALLS of the stock library: no header tells them.
#define MATCH_CAPTURES 32u
#define MATCH_LEVELS   200u

enum match_result {
    MATCH_NONE,
    MATCH_FOUND,
    MATCH_PAUSED, // match_save, sandbox_pause, match_load, match_search
};

// A capture's length if it has none.
#define MATCH_OPEN     ((ptrdiff_t)-1)
#define MATCH_POSITION ((ptrdiff_t)-2)

struct match_capture {
    const unsigned char *start;
    ptrdiff_t length;
};

// What to do when the rest of the pattern does not match.
enum match_retry {
    MATCH_UNDO_OPEN,  // the newest capture is none
    MATCH_UNDO_CLOSE, // capture `capture` is open again
    MATCH_WITHOUT,    // go on at `subject` and `pattern`
    MATCH_FEWER,      // likewise one character before, down to `least`
    MATCH_MORE,       // if the item at `pattern` accepts `subject`, go on after it
};

struct match_frame {
    enum match_retry retry;
    unsigned capture;
    const unsigned char *subject;
    const unsigned char *pattern;
    const unsigned char *least;
};

// How far a loop over characters goes between two looks.
#define MATCH_BLOCK_BYTES ((ptrdiff_t)SANDBOX_POLL_STEPS)

// Where a search stands.
enum match_place {
    MATCH_AT_START,   // before an attempt
    MATCH_AT_ITEM,    // the item at `pattern_at` is next, and `subject_at`
    MATCH_AT_RUN,     // it repeats, from `subject_at` up to `reached` so far
    MATCH_AT_BALANCE, // it is a %b, open `depth` times at `reached`
};

struct match {
    lua_State *L;
    struct sandbox *sandbox;
    const unsigned char *subject, *subject_end; // the whole string: positions count from there
    const unsigned char *pattern, *pattern_end; // without the anchor; a NUL stands at the end
    const unsigned char *start;                 // of the search; of the match, if one was found
    const unsigned char *end;                   // of the match
    const unsigned char *last; // a match that ends here is none, where one ended before; or NULL
    bool anchored;             // matches at `start` or not at all
    // The matcher's own.
    enum match_place place;
    const unsigned char *subject_at, *pattern_at, *reached;
    ptrdiff_t depth;
    struct item first; // every match begins with it, if `first_at` is not NULL
    const unsigned char *first_at;
    bool first_known;
    unsigned levels; // captures, open or closed
    unsigned used;   // frames
    struct match_capture captures[MATCH_CAPTURES];
    struct item_reader reader;
    struct match_frame frames[MATCH_LEVELS - 1];
};

// luaL_checklstring, with half of its work for a string.
static inline const unsigned char *match_argument(lua_State *L, int index, size_t *length) {
    const char *string = lua_tolstring(L, index, length);
    return (const unsigned char *)(string != NULL ? string : luaL_checklstring(L, index, length));
}

// A search that has not begun, in a subject that is Lua's and stays where the collector sees it, as
// the pattern does. From the start of the subject on, not anchored.
static inline void match_init(struct match *match, lua_State *L, const unsigned char *subject,
                              size_t subject_bytes, const unsigned char *pattern,
                              size_t pattern_bytes) {
    match->L = L;
    match->sandbox = sandbox_of(L);
    match->subject = match->start = subject;
    match->subject_end = subject + subject_bytes;
    match->pattern = pattern;
    match->pattern_end = pattern + pattern_bytes;
    match->last = NULL;
    match->anchored = false;
    match->place = MATCH_AT_START;
    match->first_known = false;
    item_reader_init(&match->reader, L, match->sandbox, match->pattern_end);
}

// Finds the next match, from `start` on or from where it was paused. To search for one more, set
// `start`. Raises the errors of a malformed pattern when it comes to the place.
enum match_result match_search(struct match *match);
// One attempt of it, from `place` on.
enum match_result match_attempt(struct match *match);
// Keeps a paused search in a userdata at the index `slot`, whatever is there; fetches it from
// there.
void match_save(const struct match *match, int slot);
void match_load(struct match *match, lua_State *L, int slot);

// memcmp in steps.
bool match_same(lua_State *L, struct sandbox *sandbox, const unsigned char *one,
                const unsigned char *other, size_t length);

// Of a match that was found; raise "invalid capture index" and "unfinished capture". If there are
// no captures, the first one is the whole match.
struct match_capture match_capture(const struct match *match, unsigned index);
void match_push_capture(const struct match *match, unsigned index);
// Pushes all, at least one if `whole`; returns how many.
int match_push_captures(const struct match *match, bool whole);

#endif
