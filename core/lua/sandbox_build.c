// SPDX-License-Identifier: Apache-2.0
#include "sandbox_build.h"

// Copying a few bytes is one step.
#define BUILD_STEP_BYTES 16u
// Each piece is less than half as long as the one below, so 64 always do.
#define BUILD_SLOTS 70

void build_open(struct build *build, lua_State *L, int pieces) {
    build->L = L;
    build->sandbox = sandbox_of(L);
    build->used = 0;
    build->pieces = pieces;
}

void build_join(lua_State *L, int pieces) {
    struct sandbox *sandbox = sandbox_of(L);
    size_t total = 0;
    for (int i = 1; i <= pieces; i++)
        total += lua_rawlen(L, -i);
    sandbox_need_memory(L, sandbox, total);
    (void)sandbox_spend(L, sandbox, total / BUILD_STEP_BYTES);
    lua_concat(L, pieces);
}

// A piece was pushed.
static void build_settle(struct build *build) {
    lua_State *L = build->L;
    int join = 1;
    size_t total = lua_rawlen(L, -1);
    for (; join < build->pieces; join++) {
        size_t below = lua_rawlen(L, -(join + 1));
        if (below / 2 > total)
            break;
        total += below;
    }
    if (join > 1)
        build_join(L, join);
    build->pieces -= join - 1;
}

static void build_push(struct build *build, const char *bytes, size_t length) {
    sandbox_need_memory(build->L, build->sandbox, length);
    (void)sandbox_spend(build->L, build->sandbox, 64 + length / BUILD_STEP_BYTES);
    luaL_checkstack(build->L, BUILD_SLOTS, NULL);
    (void)lua_pushlstring(build->L, bytes, length);
    build->pieces++;
    build_settle(build);
}

int build_flush(struct build *build) {
    size_t used = build->used;
    if (used > 0) {
        build->used = 0;
        build_push(build, build->last, used);
    }
    return build->pieces;
}

void build_value(struct build *build) {
    size_t length;
    const char *bytes = lua_tolstring(build->L, -1, &length);
    if (length <= BUILD_BYTES - build->used) {
        memcpy(build->last + build->used, bytes, length);
        build->used += length;
        lua_pop(build->L, 1);
        return;
    }
    // Two slots are free: the value took one, and whoever pushed it had LUA_MINSTACK.
    if (build->used > 0) {
        size_t used = build->used;
        build->used = 0;
        luaL_checkstack(build->L, BUILD_SLOTS, NULL);
        (void)lua_pushlstring(build->L, build->last, used);
        lua_insert(build->L, -2);
        build->pieces++;
    }
    build->pieces++;
    build_settle(build);
}

void build_bytes(struct build *build, const char *bytes, size_t length) {
    if (length <= BUILD_BYTES - build->used) {
        memcpy(build->last + build->used, bytes, length);
        build->used += length;
        return;
    }
    (void)build_flush(build);
    build_push(build, bytes, length);
}

void build_fill(struct build *build, char byte, size_t length) {
    if (length >= SANDBOX_LARGE_BYTES)
        sandbox_need_memory(build->L, build->sandbox, length);
    while (length > 0) {
        size_t part = length < BUILD_BYTES ? length : BUILD_BYTES;
        memset(build_room(build, part), byte, part);
        build->used += part;
        length -= part;
    }
}
