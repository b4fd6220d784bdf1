// SPDX-License-Identifier: Apache-2.0
// The sink that makes Lua values of a request's terms. A list of script arguments is spread over
// the stack; deeper containers become tables. Each event that allocates is protected by itself, so
// that running out of memory unwinds the source's frames by return codes and never jumps over them.
#include "sandbox_request.h"

#include <string.h>

// Few enough arguments for the LUA_MINSTACK slots that an empty stack has, beside the verb's own.
#define REQUEST_FEW 8u

// Kinds of keys that one map has had: with several, two keys may mean the same one in Lua.
enum { REQUEST_KEY_BYTES = 1, REQUEST_KEY_ATOM = 2, REQUEST_KEY_INTEGER = 4, REQUEST_KEY_REAL = 8 };

static struct request *request_of(struct term_sink *sink) {
    return (struct request *)sink;
}

static struct request_frame *request_frame(struct request *request) {
    return &request->frames[request->depth - 1];
}

static int request_verb(struct request *request, const char *name, size_t length) {
    size_t kept = length < sizeof request->verb ? length : sizeof request->verb - 1;
    memcpy(request->verb, name, kept);
    request->verb[kept] = '\0';
    request->spec = sandbox_find_verb(request->verb, &request->sandbox->verb);
    return request->spec != NULL ? 0 : request_refuse(request, REQUEST_UNSUPPORTED);
}

static int request_look(struct request *request) {
    struct sandbox *sandbox = request->sandbox;
    request->until_look = REQUEST_LOOK_EVERY;
    enum sandbox_stop stop = sandbox_stop_for(sandbox_look(sandbox));
    if (stop == SANDBOX_GO)
        return 0;
    sandbox->stop = stop;
    return request_refuse(request, REQUEST_STOPPED);
}

// Before a value: may it stand here? `type` is i, s or v as in the specs.
static int request_expect(struct request *request, char type) {
    // Keys can be such that each takes long to place.
    if (request->depth > 1)
        return (request->sandbox->timed ? request->sandbox->due != 0 : --request->until_look == 0)
                   ? request_look(request)
                   : 0;
    if (request->depth == 0 || request->spec == NULL)
        return request_refuse(request, REQUEST_UNSUPPORTED);
    char wanted = request->spec[request->argument];
    if (wanted == 'v' || wanted == type)
        return 0;
    return request_refuse(request, wanted == '\0' ? REQUEST_UNSUPPORTED : REQUEST_BADTERM);
}

// After a value was pushed: put it where it belongs.
static int request_place(struct request *request, uint8_t key_kind) {
    lua_State *call = request->call;
    if (request->depth == 1) {
        request->argument++;
        return 0;
    }
    struct request_frame *frame = request_frame(request);
    if (frame->kind != TERM_MAP) {
        frame->at++;
        if (!frame->spread)
            lua_rawseti(call, frame->table, frame->at);
    } else if (frame->has_key) {
        frame->at += lua_isnil(call, -1) ? 0 : 1;
        frame->has_key = false;
        lua_rawset(call, frame->table);
    } else {
        if (key_kind == 0) {
            lua_pop(call, 1);
            return request_refuse(request, REQUEST_BADTERM);
        }
        frame->keys |= key_kind;
        frame->has_key = true;
    }
    return 0;
}

struct request_event {
    struct request *request;
    const void *data;
    size_t length;
    enum term_kind kind;
    uint8_t key_kind;
    lua_Integer integer;
    lua_Number real;
};

// Is there room for `bytes` more within the limit? May collect.
static int request_room(struct request *request, size_t bytes) {
    struct sandbox *sandbox = request->sandbox;
    if (sandbox_memory_spent(sandbox, request->call) ||
        !sandbox_memory_fits(sandbox, request->call, bytes))
        return request_refuse(request, REQUEST_MEMORY);
    return 0;
}

static int request_protected(struct request *request, int (*body)(struct sandbox *, void *),
                             struct request_event *event) {
    event->request = request;
    return sandbox_protect(request->sandbox, body, event);
}

// A number needs no memory when its table has a place for it; stack slots were reserved by begin.
static int request_scalar(struct request *request, int (*body)(struct sandbox *, void *),
                          struct request_event *event) {
    const struct request_frame *frame = request_frame(request);
    event->request = request;
    if (!request->sandbox->memory_full && (frame->spread || frame->at < frame->n))
        return body(request->sandbox, event);
    return request_protected(request, body, event);
}

static int request_push_integer(struct sandbox *sandbox, void *data) {
    struct request_event *event = data;
    (void)sandbox;
    lua_pushinteger(event->request->call, event->integer);
    return request_place(event->request, REQUEST_KEY_INTEGER);
}

static int request_integer(struct term_sink *sink, int64_t value) {
    struct request *request = request_of(sink);
    int code = request_expect(request, 'i');
    if (code < 0)
        return code;
    struct request_event event = {.integer = value};
    return request_scalar(request, request_push_integer, &event);
}

static int request_push_real(struct sandbox *sandbox, void *data) {
    struct request_event *event = data;
    (void)sandbox;
    lua_pushnumber(event->request->call, event->real);
    return request_place(event->request, REQUEST_KEY_REAL);
}

static int request_real(struct term_sink *sink, double value) {
    struct request *request = request_of(sink);
    int code = request_expect(request, 'v');
    if (code < 0)
        return code;
    struct request_event event = {.real = value};
    return request_scalar(request, request_push_real, &event);
}

static int request_push_bytes(struct sandbox *sandbox, void *data) {
    struct request_event *event = data;
    (void)sandbox;
    int code = request_room(event->request, event->length);
    if (code < 0)
        return code;
    (void)lua_pushlstring(event->request->call, event->data, event->length);
    return request_place(event->request, event->key_kind);
}

static int request_text(struct request *request, const void *data, size_t length,
                        uint8_t key_kind) {
    int code = request_expect(request, 's');
    if (code < 0)
        return code;
    struct request_event event = {
        .data = data != NULL ? data : "", .length = length, .key_kind = key_kind};
    return request_protected(request, request_push_bytes, &event);
}

static int request_bytes(struct term_sink *sink, const void *data, size_t length) {
    return request_text(request_of(sink), data, length, REQUEST_KEY_BYTES);
}

// nil, true and false, told apart by their lengths.
static int request_push_constant(struct sandbox *sandbox, void *data) {
    struct request_event *event = data;
    lua_State *call = event->request->call;
    (void)sandbox;
    if (event->length == 3)
        lua_pushnil(call);
    else
        lua_pushboolean(call, event->length == 4);
    // A boolean key cannot mean the same as any other; nil is no key at all.
    return request_place(event->request, event->length == 3 ? 0 : REQUEST_KEY_BYTES);
}

static bool request_is_constant(const char *name, size_t length) {
    switch (length) {
    case 3:
        return memcmp(name, "nil", 3) == 0;
    case 4:
        return memcmp(name, "true", 4) == 0;
    case 5:
        return memcmp(name, "false", 5) == 0;
    default:
        return false;
    }
}

static int request_atom(struct term_sink *sink, const char *name, size_t length) {
    struct request *request = request_of(sink);
    if (request->depth <= 1 && request->spec == NULL)
        return request_verb(request, name, length);
    if (!request_is_constant(name, length))
        return request_text(request, name, length, REQUEST_KEY_ATOM);
    int code = request_expect(request, 'v');
    if (code < 0)
        return code;
    struct request_event event = {.length = length};
    return request_scalar(request, request_push_constant, &event);
}

// Opens the next frame, with a table unless its elements are spread, and reserves the stack.
static int request_open(struct sandbox *sandbox, void *data) {
    struct request_event *event = data;
    struct request *request = event->request;
    struct request_frame *frame = &request->frames[request->depth];
    (void)sandbox;
    // In a table a pair takes up to 40 bytes and an element 16, as one on the stack does.
    int code = request_room(request, event->length * (event->kind == TERM_MAP ? 40 : 16));
    if (code < 0)
        return code;
    int n = event->length > INT32_MAX - 8 ? INT32_MAX - 8 : (int)event->length;
    if (!lua_checkstack(request->call, frame->spread ? n + 8 : 8))
        return request_refuse(request, REQUEST_MEMORY);
    if (!frame->spread)
        lua_createtable(request->call, event->kind == TERM_MAP ? 0 : n,
                        event->kind == TERM_MAP ? n : 0);
    frame->table = lua_gettop(request->call);
    request->depth++;
    return 0;
}

static int request_begin(struct term_sink *sink, enum term_kind kind, size_t n) {
    struct request *request = request_of(sink);
    if (request->depth == 0 && kind != TERM_TUPLE)
        return request_refuse(request, REQUEST_UNSUPPORTED);
    bool spread =
        request->depth == 0 || (request->depth == 1 && request->spec != NULL && kind == TERM_LIST &&
                                request->spec[request->argument] == 'a');
    int code = spread ? 0 : request_expect(request, 'v');
    if (code < 0)
        return code;
    // Neither the request's tuple nor a spread list is one of the script's.
    uint32_t outer = request->depth > 1 && request->frames[1].spread ? 2 : 1;
    if (!spread && request->depth - outer >= request->sandbox->limits->depth)
        return request_refuse(request, REQUEST_BADTERM);
    struct request_frame *frame = &request->frames[request->depth];
    *frame = (struct request_frame){.kind = kind, .spread = spread, .n = (lua_Integer)n};
    if (spread && n <= REQUEST_FEW && !request->sandbox->memory_full) {
        frame->table = 0;
        request->depth++;
        return 0;
    }
    struct request_event event = {.kind = kind, .length = n};
    return request_protected(request, request_open, &event);
}

// Two keys that are different terms but the same key in Lua, such as a and <<"a">>, or 1 and 1.0.
static bool request_lost_a_key(lua_State *call, const struct request_frame *frame) {
    bool mixed = (frame->keys & (frame->keys - 1)) != 0;
    if (frame->kind != TERM_MAP || !mixed)
        return false;
    lua_Integer present = 0;
    lua_pushnil(call);
    while (lua_next(call, frame->table) != 0) {
        lua_pop(call, 1);
        present++;
    }
    return present != frame->at;
}

static int request_place_table(struct sandbox *sandbox, void *data) {
    (void)sandbox;
    return request_place(((struct request_event *)data)->request, 0);
}

static int request_end(struct term_sink *sink, enum term_kind kind, size_t n) {
    struct request *request = request_of(sink);
    const struct request_frame *frame = request_frame(request);
    (void)kind;
    (void)n;
    if (request_lost_a_key(request->call, frame))
        return request_refuse(request, REQUEST_BADTERM);
    request->depth--;
    if (request->depth == 0)
        return 0;
    if (frame->spread) {
        request->argument++;
        return 0;
    }
    struct request_event event = {.request = request};
    return request_protected(request, request_place_table, &event);
}

const struct term_sink_ops request_ops = {
    .integer = request_integer,
    .real = request_real,
    .atom = request_atom,
    .bytes = request_bytes,
    .begin = request_begin,
    .end = request_end,
};
