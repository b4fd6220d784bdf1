// SPDX-License-Identifier: Apache-2.0
// What each verb does with its arguments, which lie on the stack of `call` from index 1 on.
#include "sandbox_fronts.h"

#include <string.h>

static const struct {
    const char *name;
    enum sandbox_verb verb;
    const char *spec;
} verbs[] = {
    {"call", SANDBOX_CALL, "sa"},          // path, arguments
    {"eval", SANDBOX_EVAL, "sa"},          // source, arguments
    {"run", SANDBOX_RUN, "ia"},            // chunk, arguments
    {"load", SANDBOX_LOAD, "ss"},          // chunk name, source
    {"compile", SANDBOX_COMPILE, "s"},     // source
    {"set", SANDBOX_SET, "sv"},            // path, value
    {"get", SANDBOX_GET, "s"},             // path
    {"reset", SANDBOX_RESET, ""},          //
    {"configure", SANDBOX_CONFIGURE, "v"}, // map of service options
    {"answer", SANDBOX_ANSWER, "va"},      // true and results, false and an error, or interrupted
};

const char *sandbox_find_verb(const char *name, enum sandbox_verb *verb) {
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(verbs[i].name, name) == 0) {
            *verb = verbs[i].verb;
            return verbs[i].spec;
        }
    return NULL;
}

// An error that no script code raised: the message is on top, there is no traceback.
static void verb_failed(struct sandbox *sandbox) {
    lua_pushliteral(sandbox->call, "");
    lua_insert(sandbox->call, -2);
    sandbox->phase = SANDBOX_LUA_ERROR;
}

static void verb_done(struct sandbox *sandbox, int results) {
    sandbox->results = results;
    sandbox->phase = SANDBOX_RESULTS;
}

// Compiles the text at `source`; true: the function is on top. It is a run of its own, so that the
// limits hold in the parser too.
static bool verb_compile(struct sandbox *sandbox, int source, const char *name) {
    lua_State *call = sandbox->call;
    lua_pushcfunction(call, sandbox_compile);
    lua_pushvalue(call, source);
    (void)lua_pushstring(call, name);
    sandbox_resume(sandbox, 2);
    if (sandbox->phase != SANDBOX_RESULTS)
        return false;
    if (lua_isfunction(call, -1))
        return true;
    if (sandbox_is_overflow(call)) {
        sandbox->stop = SANDBOX_STOP_DEPTH;
        sandbox->phase = SANDBOX_LIMIT;
    } else {
        verb_failed(sandbox);
    }
    return false;
}

// Replaces the first value by the function on top and calls it with the rest.
static void verb_enter(struct sandbox *sandbox) {
    lua_replace(sandbox->call, 1);
    sandbox_resume(sandbox, lua_gettop(sandbox->call) - 1);
}

static void verb_eval(struct sandbox *sandbox) {
    if (verb_compile(sandbox, 1, "=eval"))
        verb_enter(sandbox);
}

static void verb_load(struct sandbox *sandbox) {
    lua_State *call = sandbox->call;
    const char *name = lua_pushfstring(call, "=%s", lua_tostring(call, 1));
    if (!verb_compile(sandbox, 2, name))
        return;
    lua_replace(call, 1);
    lua_settop(call, 1);
    sandbox_resume(sandbox, 0);
}

static void verb_compile_only(struct sandbox *sandbox) {
    lua_State *call = sandbox->call;
    if (!verb_compile(sandbox, 1, "=chunk"))
        return;
    sandbox->chunks++;
    (void)lua_rawgetp(call, LUA_REGISTRYINDEX, &sandbox->chunks);
    lua_insert(call, -2);
    lua_rawseti(call, -2, sandbox->chunks);
    lua_pushinteger(call, sandbox->chunks);
    verb_done(sandbox, 1);
}

static void verb_run(struct sandbox *sandbox) {
    lua_State *call = sandbox->call;
    lua_Integer chunk = lua_tointeger(call, 1);
    (void)lua_rawgetp(call, LUA_REGISTRYINDEX, &sandbox->chunks);
    int type = lua_rawgeti(call, -1, chunk);
    lua_remove(call, -2);
    if (type == LUA_TFUNCTION) {
        verb_enter(sandbox);
        return;
    }
    (void)lua_pushfstring(call, "no chunk %I: compiled before a reset, or in another box?", chunk);
    verb_failed(sandbox);
}

// Walks the path at index 1, all but its last name, without metamethods. Pushes the table that
// holds the last name, which starts at *last; or leaves a message on top and returns false.
static bool verb_find(struct sandbox *sandbox, const char *purpose, const char **last) {
    lua_State *call = sandbox->call;
    size_t length;
    const char *path = lua_tolstring(call, 1, &length);
    const char *end = path + length;
    const char *name = path;
    const char *dot;
    (void)lua_rawgeti(call, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    while ((dot = memchr(name, '.', (size_t)(end - name))) != NULL) {
        (void)lua_pushlstring(call, name, (size_t)(dot - name));
        int type = lua_rawget(call, -2);
        if (type != LUA_TTABLE) {
            (void)lua_pushlstring(call, path, (size_t)(dot - path));
            (void)lua_pushfstring(call, "cannot %s '%s': '%s' is not a table (a %s value)", purpose,
                                  path, lua_tostring(call, -1), lua_typename(call, type));
            return false;
        }
        lua_remove(call, -2);
        if (sandbox_enter_library(call) && sandbox->verb == SANDBOX_SET) {
            (void)lua_pushfstring(call, "cannot %s '%s': libraries belong to the service", purpose,
                                  path);
            return false;
        }
        name = dot + 1;
    }
    *last = name;
    return true;
}

static void verb_push_last(struct sandbox *sandbox, const char *last) {
    lua_State *call = sandbox->call;
    size_t length;
    const char *path = lua_tolstring(call, 1, &length);
    if (last == path)
        lua_pushvalue(call, 1);
    else
        (void)lua_pushlstring(call, last, length - (size_t)(last - path));
}

static void verb_call(struct sandbox *sandbox) {
    lua_State *call = sandbox->call;
    const char *last;
    if (!verb_find(sandbox, "call", &last)) {
        verb_failed(sandbox);
        return;
    }
    verb_push_last(sandbox, last);
    int type = lua_rawget(call, -2);
    bool callable = type == LUA_TFUNCTION;
    if (!callable && luaL_getmetafield(call, -1, "__call") != LUA_TNIL) {
        lua_pop(call, 1);
        callable = true;
    }
    if (callable) {
        // The function takes the name's place; it and the table that held it go.
        lua_copy(call, -1, 1);
        lua_settop(call, -3);
        sandbox_resume(sandbox, lua_gettop(call) - 1);
        return;
    }
    (void)lua_pushfstring(call, "cannot call '%s': it is not a function (a %s value)",
                          lua_tostring(call, 1), lua_typename(call, type));
    verb_failed(sandbox);
}

static void verb_get(struct sandbox *sandbox) {
    const char *last;
    if (!verb_find(sandbox, "get", &last)) {
        verb_failed(sandbox);
        return;
    }
    verb_push_last(sandbox, last);
    (void)lua_rawget(sandbox->call, -2);
    verb_done(sandbox, 1);
}

static void verb_set(struct sandbox *sandbox) {
    const char *last;
    if (!verb_find(sandbox, "set", &last)) {
        verb_failed(sandbox);
        return;
    }
    verb_push_last(sandbox, last);
    lua_pushvalue(sandbox->call, 2);
    lua_rawset(sandbox->call, -3);
    verb_done(sandbox, 0);
}

static bool verb_option_is(lua_State *call, const char *value) {
    return lua_type(call, -1) == LUA_TSTRING && strcmp(lua_tostring(call, -1), value) == 0;
}

// The names of the owner's functions are in the list on top; they become globals.
static void verb_define_functions(lua_State *call) {
    (void)lua_rawgeti(call, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    for (lua_Integer i = 1; lua_rawgeti(call, -2, i) == LUA_TSTRING; i++) {
        size_t length;
        const char *name = lua_tolstring(call, -1, &length);
        sandbox_push_question(call, name, length);
        lua_rawset(call, -3);
    }
    lua_pop(call, 2);
}

// The facade has checked the values.
static void verb_configure(struct sandbox *sandbox) {
    lua_State *call = sandbox->call;
    if (lua_istable(call, 1)) {
        if (lua_getfield(call, 1, "empty") != LUA_TNIL)
            sandbox->empty_as_map = verb_option_is(call, "map");
        if (lua_getfield(call, 1, "print") != LUA_TNIL)
            sandbox->print_to_owner = verb_option_is(call, "owner");
        if (lua_getfield(call, 1, "source_bytes") == LUA_TNUMBER)
            sandbox->source_bytes = (size_t)lua_tointeger(call, -1);
        if (lua_getfield(call, 1, "seed") == LUA_TNUMBER) {
            sandbox->seeded = true;
            sandbox->seed = lua_tointeger(call, -1);
            sandbox_seed_random(call, sandbox->seed);
        }
        if (lua_getfield(call, 1, "functions") == LUA_TTABLE)
            verb_define_functions(call);
    }
    verb_done(sandbox, 0);
}

void sandbox_start_verb(struct sandbox *sandbox) {
    switch (sandbox->verb) {
    case SANDBOX_EVAL:
        verb_eval(sandbox);
        break;
    case SANDBOX_LOAD:
        verb_load(sandbox);
        break;
    case SANDBOX_CALL:
        verb_call(sandbox);
        break;
    case SANDBOX_COMPILE:
        verb_compile_only(sandbox);
        break;
    case SANDBOX_RUN:
        verb_run(sandbox);
        break;
    case SANDBOX_SET:
        verb_set(sandbox);
        break;
    case SANDBOX_GET:
        verb_get(sandbox);
        break;
    case SANDBOX_CONFIGURE:
        verb_configure(sandbox);
        break;
    case SANDBOX_ANSWER:
        lua_pushliteral(sandbox->call, "answer, for nothing was asked");
        sandbox->phase = SANDBOX_UNSUPPORTED;
        break;
    case SANDBOX_RESET: // done by lua_service.c before any state is touched
        verb_done(sandbox, 0);
        break;
    }
}
