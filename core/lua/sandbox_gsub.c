// SPDX-License-Identifier: Apache-2.0
// string.gsub, as the manual says.
//
// What finds and builds without calling the script (gsub_go) has the matcher and a small array for
// the result in its frame; where a replacement must be asked from the script, it returns, and the
// frame that stays below the script's function is a struct gsub and little else: a script may nest
// two hundred of them. A pause is taken in gsub_go; a script's function runs under lua_call, where
// neither a pause nor a yield of its own can pass.
#include "sandbox_gsub_text.h"
#include "sandbox_match.h"

#include <string.h>

enum gsub_slot {
    GSUB_SUBJECT = 1,
    GSUB_PATTERN,
    GSUB_REPLACEMENT,
    GSUB_TEXT,  // the result, when it is a userdata
    GSUB_MATCH, // a paused search
    GSUB_STATE, // a paused struct gsub
};

#define GSUB_SMALL_BYTES 64
#define GSUB_LARGE_BYTES 512 // in the frame that is gone when the script is asked

struct gsub {
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
    lua_Integer left;  // replacements that may be made
    lua_Integer count; // matches
    int type;          // of the replacement
    int arguments;     // of the function that is asked
    bool anchored;
    bool asks; // the replacement may call the script
    bool paused;
    bool changed;
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

static int gsub_again(lua_State *L, int status, lua_KContext context);

static int gsub_run(lua_State *L, struct gsub *gsub) {
    for (;;) {
        switch (gsub_go(L, gsub)) {
        case GSUB_ASK:
            if (gsub->type == LUA_TFUNCTION)
                lua_call(L, gsub->arguments, 1);
            else
                (void)lua_gettable(L, GSUB_REPLACEMENT);
            gsub_take_value(L, gsub);
            break;
        case GSUB_DONE:
            lua_pushinteger(L, gsub->count);
            return 2;
        case GSUB_PAUSE: {
            struct gsub *kept = lua_touserdata(L, GSUB_STATE);
            if (kept == NULL) {
                kept = lua_newuserdatauv(L, sizeof *kept, 0);
                lua_replace(L, GSUB_STATE);
            }
            if (gsub->text.data == gsub->small)
                gsub_text_keep(L, &gsub->text);
            *kept = *gsub;
            return sandbox_pause(L, 0, gsub_again);
        }
        }
    }
}

static int gsub_again(lua_State *L, int status, lua_KContext context) {
    (void)status;
    (void)context;
    struct gsub gsub = *(const struct gsub *)lua_touserdata(L, GSUB_STATE);
    return gsub_run(L, &gsub);
}

static int gsub_gsub(lua_State *L) {
    struct gsub gsub;
    size_t length;
    int arguments = lua_gettop(L);
    gsub.subject = match_argument(L, 1, &length);
    gsub.pattern = match_argument(L, 2, &gsub.pattern_bytes);
    gsub.type = lua_type(L, 3);
    gsub.left = (lua_Integer)length + 1;
    if (arguments > 3)
        gsub.left = sandbox_opt_integer(L, 4, gsub.left);
    luaL_argexpected(L,
                     gsub.type == LUA_TNUMBER || gsub.type == LUA_TSTRING ||
                         gsub.type == LUA_TFUNCTION || gsub.type == LUA_TTABLE,
                     3, "string/function/table");
    lua_settop(L, GSUB_TEXT);
    gsub.end = gsub.subject + length;
    gsub.from = gsub.copied = gsub.subject;
    gsub.last = NULL;
    gsub.count = 0;
    gsub.paused = gsub.changed = false;
    gsub.anchored = *gsub.pattern == '^';
    gsub.pattern += gsub.anchored;
    gsub.pattern_bytes -= gsub.anchored;
    gsub.template = "";
    gsub.template_bytes = 0;
    if (gsub.type == LUA_TSTRING || gsub.type == LUA_TNUMBER)
        gsub.template = lua_tolstring(L, GSUB_REPLACEMENT, &gsub.template_bytes);
    gsub.asks = gsub.type == LUA_TFUNCTION;
    if (gsub.type == LUA_TTABLE && lua_getmetatable(L, GSUB_REPLACEMENT)) {
        gsub.asks = true;
        lua_pop(L, 1);
    }
    gsub.text = (struct gsub_text){.least = length + GSUB_SMALL_BYTES, .slot = GSUB_TEXT};
    if (gsub.asks) {
        gsub.text.data = gsub.small;
        gsub.text.capacity = sizeof gsub.small;
    }
    return gsub_run(L, &gsub);
}

const luaL_Reg sandbox_gsub_functions[] = {
    {"gsub", gsub_gsub},
    {NULL, NULL},
};
