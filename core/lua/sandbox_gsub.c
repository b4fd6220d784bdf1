// SPDX-License-Identifier: Apache-2.0
// string.gsub, as the manual says.
//
// What finds and builds without calling the script (gsub_go) has the matcher and a small array for
// the result in its frame; where a replacement must be asked from the script, it returns, and the
// struct gsub is in a userdata: nothing of it is lost when a pause takes the frames away, and the
// frame that stays below the script's function is small, for a script may nest two hundred of them.
#include "sandbox_call.h"
#include "sandbox_gsub_text.h"
#include "sandbox_match.h"
#include "sandbox_table.h"

#include <string.h>

enum gsub_slot {
    GSUB_SUBJECT = 1,
    GSUB_PATTERN,
    GSUB_REPLACEMENT,
    GSUB_TEXT,  // the result, when it is a userdata
    GSUB_MATCH, // a paused search
    GSUB_STATE, // a struct gsub that asks the script, or that is paused
};

#define GSUB_SMALL_BYTES 64
#define GSUB_LARGE_BYTES 512 // in the frame that is gone when the script is asked

struct gsub {
    bool taken; // by the gsub that it is the state of
    bool anchored;
    bool asks; // the replacement may call the script
    bool paused;
    bool changed;
    const unsigned char *subject, *end;
    const unsigned char *pattern; // without the anchor
    size_t pattern_bytes;
    const char *template; // the replacement, if it is a string
    size_t template_bytes;
    const unsigned char *from;   // the search goes on there
    const unsigned char *last;   // the last match ended there; NULL: none was
    const unsigned char *start;  // the match began there whose replacement is asked for
    const unsigned char *copied; // the subject is in the text up to there
    struct gsub_text text;
    lua_Integer left;             // replacements that may be made
    lua_Integer count;            // matches
    int type;                     // of the replacement
    int arguments;                // of the function that is asked
    char small[GSUB_SMALL_BYTES]; // the text, while it is short and the script is asked
};

enum gsub_step { GSUB_ASK, GSUB_DONE, GSUB_PAUSE };

static void gsub_add(lua_State *L, struct gsub *gsub, const unsigned char *bytes, size_t length) {
    gsub_text_add(L, &gsub->text, (const char *)bytes, length);
}

static void gsub_add_capture(lua_State *L, struct gsub *gsub, const struct match *match,
                             unsigned index) {
    struct match_capture capture = match_capture(match, index);
    if (capture.length != MATCH_POSITION) {
        gsub_add(L, gsub, capture.start, (size_t)capture.length);
        return;
    }
    size_t length;
    match_push_capture(match, index);
    const char *digits = lua_tolstring(L, -1, &length);
    gsub_text_add(L, &gsub->text, digits, length);
    lua_pop(L, 1);
}

// A replacement string, in which %1 and the like stand for captures.
static void gsub_add_template(lua_State *L, struct gsub *gsub, const struct match *match) {
    const char *template = gsub->template;
    const char *end = template + gsub->template_bytes;
    const char *escape;
    while ((escape = memchr(template, '%', (size_t)(end - template))) != NULL) {
        char what = escape[1];
        gsub_text_add(L, &gsub->text, template, (size_t)(escape - template));
        if (what == '%')
            gsub_text_add(L, &gsub->text, escape, 1);
        else if (what == '0')
            gsub_add(L, gsub, match->start, (size_t)(match->end - match->start));
        else if (what >= '1' && what <= '9')
            gsub_add_capture(L, gsub, match, (unsigned)(what - '1'));
        else
            (void)luaL_error(L, "invalid use of '%c' in replacement string", '%');
        (void)sandbox_spend(L, match->sandbox, 2); // a template may be all escapes
        template = escape + 2;
    }
    gsub_text_add(L, &gsub->text, template, (size_t)(end - template));
}

// The value on top replaces the subject from gsub->start to gsub->from, unless it is false or nil.
static void gsub_take_value(lua_State *L, struct gsub *gsub) {
    if (lua_toboolean(L, -1)) {
        size_t length;
        const char *value = lua_tolstring(L, -1, &length);
        if (value == NULL) {
            (void)luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
            return;
        }
        gsub_add(L, gsub, gsub->copied, (size_t)(gsub->start - gsub->copied));
        gsub_text_add(L, &gsub->text, value, length);
        gsub->copied = gsub->from;
        gsub->changed = true;
    }
    lua_pop(L, 1);
}

// Handles a match. True: the function and its arguments, or the key, are on top.
static bool gsub_replace(lua_State *L, struct gsub *gsub, const struct match *match) {
    gsub->count++;
    gsub->left = gsub->anchored ? 0 : gsub->left - 1;
    gsub->from = gsub->last = match->end;
    gsub->start = match->start;
    switch (gsub->type) {
    case LUA_TFUNCTION:
        lua_pushvalue(L, GSUB_REPLACEMENT);
        gsub->arguments = match_push_captures(match, true);
        return true;
    case LUA_TTABLE:
        match_push_capture(match, 0);
        if (gsub->asks)
            return true;
        (void)lua_rawget(L, GSUB_REPLACEMENT);
        gsub_take_value(L, gsub);
        return false;
    default:
        gsub_add(L, gsub, gsub->copied, (size_t)(match->start - gsub->copied));
        gsub_add_template(L, gsub, match);
        gsub->copied = match->end;
        gsub->changed = true;
        return false;
    }
}

static void gsub_init_match(lua_State *L, const struct gsub *gsub, struct match *match) {
    match_init(match, L, gsub->subject, (size_t)(gsub->end - gsub->subject), gsub->pattern,
               gsub->pattern_bytes);
    match->anchored = gsub->anchored;
    match->last = gsub->last;
}

// Searches and replaces until the script must be asked, or it is done and the result is on top.
static enum gsub_step gsub_work(lua_State *L, struct gsub *gsub, struct match *match) {
    while (gsub->left > 0) {
        if (!gsub->paused)
            match->start = gsub->from;
        gsub->paused = false;
        enum match_result result = match_search(match);
        if (result == MATCH_NONE)
            break;
        if (result == MATCH_PAUSED) {
            gsub->paused = true;
            lua_settop(L, GSUB_STATE);
            match_save(match, GSUB_MATCH);
            return GSUB_PAUSE;
        }
        match->last = match->end;
        if (gsub_replace(L, gsub, match))
            return GSUB_ASK;
    }
    if (gsub->changed)
        gsub_text_push(L, &gsub->text, (const char *)gsub->copied,
                       (size_t)(gsub->end - gsub->copied));
    else
        lua_pushvalue(L, GSUB_SUBJECT);
    return GSUB_DONE;
}

// With what is too large for a frame below the script.
__attribute__((noinline)) static enum gsub_step gsub_go(lua_State *L, struct gsub *gsub) {
    struct match match;
    char large[GSUB_LARGE_BYTES];
    if (gsub->paused)
        match_load(&match, L, GSUB_MATCH);
    else
        gsub_init_match(L, gsub, &match);
    if (!gsub->asks && gsub->text.data == NULL) {
        gsub->text.data = large;
        gsub->text.capacity = sizeof large;
    }
    enum gsub_step step = gsub_work(L, gsub, &match);
    if (gsub->text.data == large) {
        if (step != GSUB_DONE)
            gsub_text_keep(L, &gsub->text);
        else
            gsub->text.data = NULL;
    }
    return step;
}

static int gsub_answered(lua_State *L, int status, lua_KContext context);
static int gsub_again(lua_State *L, int status, lua_KContext context);

static int gsub_finish(lua_State *L, struct gsub *gsub) {
    if (gsub->asks)
        sandbox_unfence(sandbox_of(L));
    gsub->taken = false;
    lua_pushinteger(L, gsub->count);
    return 2;
}

static int gsub_run(lua_State *L, struct gsub *gsub) {
    for (;;) {
        switch (gsub_go(L, gsub)) {
        case GSUB_ASK:
            if (gsub->type == LUA_TFUNCTION)
                lua_callk(L, gsub->arguments, 1, 0, gsub_answered);
            else if (sandbox_index(L, GSUB_REPLACEMENT))
                lua_callk(L, 2, 1, 0, gsub_answered);
            gsub_take_value(L, gsub);
            break;
        case GSUB_DONE:
            return gsub_finish(L, gsub);
        case GSUB_PAUSE:
            if (lua_touserdata(L, GSUB_STATE) == NULL) {
                *(struct gsub *)lua_newuserdatauv(L, sizeof *gsub, 0) = *gsub;
                lua_replace(L, GSUB_STATE);
            }
            return sandbox_pause(L, 0, gsub_again);
        }
    }
}

// After a pause in the script's function.
static int gsub_answered(lua_State *L, int status, lua_KContext context) {
    (void)status, (void)context;
    struct gsub *gsub = lua_touserdata(L, GSUB_STATE);
    gsub_take_value(L, gsub);
    return gsub_run(L, gsub);
}

// After any other.
static int gsub_again(lua_State *L, int status, lua_KContext context) {
    (void)status, (void)context;
    return gsub_run(L, lua_touserdata(L, GSUB_STATE));
}

// The state that is in use while the script is asked is on top, in its slot.
static struct gsub *gsub_begin_asking(lua_State *L) {
    static const char key;
    struct gsub *gsub = sandbox_take_state(L, &key, sizeof *gsub);
    gsub->text.data = gsub->small;
    gsub->text.capacity = sizeof gsub->small;
    sandbox_fence(L, sandbox_of(L));
    return gsub;
}

static int gsub_gsub(lua_State *L) {
    struct gsub plain;
    struct gsub *gsub = &plain;
    size_t length, pattern_bytes;
    int arguments = lua_gettop(L);
    const unsigned char *subject = match_argument(L, GSUB_SUBJECT, &length);
    const unsigned char *pattern = match_argument(L, GSUB_PATTERN, &pattern_bytes);
    int type = lua_type(L, GSUB_REPLACEMENT);
    lua_Integer left = (lua_Integer)length + 1;
    if (arguments > 3)
        left = sandbox_opt_integer(L, 4, left);
    bool is_text = type == LUA_TNUMBER || type == LUA_TSTRING;
    luaL_argexpected(L, is_text || type == LUA_TFUNCTION || type == LUA_TTABLE, GSUB_REPLACEMENT,
                     "string/function/table");
    bool asks = type == LUA_TFUNCTION ||
                (type == LUA_TTABLE && !sandbox_table_is_plain(L, GSUB_REPLACEMENT));
    lua_settop(L, asks ? GSUB_MATCH : GSUB_TEXT);
    if (asks) {
        gsub = gsub_begin_asking(L);
    } else {
        plain.text.data = NULL;
        plain.text.capacity = 0;
    }
    gsub->text.length = 0;
    gsub->text.least = length + GSUB_SMALL_BYTES;
    gsub->text.slot = GSUB_TEXT;
    gsub->asks = asks;
    gsub->paused = gsub->changed = false;
    gsub->anchored = *pattern == '^';
    gsub->subject = gsub->from = gsub->copied = subject;
    gsub->end = subject + length;
    gsub->last = NULL;
    gsub->pattern = pattern + gsub->anchored;
    gsub->pattern_bytes = pattern_bytes - gsub->anchored;
    gsub->left = left;
    gsub->count = 0;
    gsub->type = type;
    gsub->template = is_text ? lua_tolstring(L, GSUB_REPLACEMENT, &gsub->template_bytes) : "";
    return gsub_run(L, gsub);
}

const luaL_Reg sandbox_gsub_functions[] = {
    {"gsub", gsub_gsub},
    {NULL, NULL},
};
