// SPDX-License-Identifier: Apache-2.0
// Keeps a fault of Lua before 5.4.8 from scripts ("message handler can be overwritten", fixed
// upstream in 3fe7be95). A coroutine that is suspended inside xpcall remembers where on its stack
// the handler is. When it is closed, that stack is unwound and may be made smaller, but an error in
// one of its __close methods still calls what it finds there: memory that is somebody else's.
//
// The remedy is Lua's own, to forget the handler first, but there is no function for that. So the
// place in lua_State is found out, once: it holds the handler's position while lua_pcall runs.
#include "sandbox.h"

#include <stdatomic.h>
#include <string.h>

// Less than any lua_State, more than what comes before the place in any Lua 5.4.
#define HANDLER_WORDS 25u

static atomic_size_t handler_offset; // 0: not known yet

struct handler_words {
    ptrdiff_t at[HANDLER_WORDS];
};

static void handler_look(const lua_State *L, struct handler_words *words) {
    memcpy(words->at, (const void *)L, sizeof words->at);
}

static int handler_look_within(lua_State *L) {
    handler_look(L, lua_touserdata(L, 1));
    return 0;
}

// What lua_State looks like while a function with its handler at that index runs.
static void handler_look_at(lua_State *L, int index, struct handler_words *words) {
    int top = lua_gettop(L);
    lua_settop(L, index - 1);
    lua_pushcfunction(L, handler_look_within); // never called as such
    lua_pushcfunction(L, handler_look_within);
    lua_pushlightuserdata(L, words);
    (void)lua_pcall(L, 1, 0, index);
    lua_settop(L, top);
}

bool sandbox_find_handler(lua_State *L) {
    if (atomic_load_explicit(&handler_offset, memory_order_relaxed) != 0)
        return true;
    enum { LOW = 5, HIGH = 12 };
    struct handler_words before, low, high;
    if (!lua_checkstack(L, HIGH + LUA_MINSTACK))
        return false;
    handler_look(L, &before);
    handler_look_at(L, LOW, &low);
    handler_look_at(L, HIGH, &high);
    size_t found = 0, places = 0;
    for (size_t i = 1; i < HANDLER_WORDS; i++) {
        bool here = before.at[i] == 0 && low.at[i] > 0 && low.at[i] < 4096 &&
                    low.at[i] * HIGH == high.at[i] * LOW;
        found = here ? i : found;
        places += here ? 1 : 0;
    }
    if (places != 1)
        return false;
    atomic_store_explicit(&handler_offset, found * sizeof(ptrdiff_t), memory_order_relaxed);
    return true;
}

void sandbox_forget_handler(lua_State *co) {
    static const ptrdiff_t none = 0;
    size_t offset = atomic_load_explicit(&handler_offset, memory_order_relaxed);
    memcpy((char *)(void *)co + offset, &none, sizeof none);
}
