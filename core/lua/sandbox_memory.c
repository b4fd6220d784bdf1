// SPDX-License-Identifier: Apache-2.0
// The soft cap: crossing it is noticed in the allocator (sandbox_state.c), judged here, at the next
// instruction or before something large is made.
#include "sandbox.h"

// What a full box may take beyond what it holds, so that a call can come and free something.
static size_t memory_grace_bytes(const struct service_limits *limits) {
    size_t share = limits->memory_bytes / 16;
    return share < (size_t)256 * 1024 ? share : (size_t)256 * 1024;
}

static size_t memory_held_bytes(const struct sandbox *sandbox) {
    size_t live_bytes = arena_live_bytes(sandbox->arena);
    size_t taken_bytes = arena_taken_bytes(sandbox->arena);
    return live_bytes > taken_bytes ? live_bytes : taken_bytes;
}

static void memory_collect(struct sandbox *sandbox, lua_State *L) {
    (void)lua_gc(L, LUA_GCCOLLECT);
    sandbox->memory_full = false;
    arena_rearm(sandbox->arena);
}

bool sandbox_memory_is_tight(const struct sandbox *sandbox) {
    size_t limit_bytes = sandbox->limits->memory_bytes;
    return sandbox->soft_bytes != limit_bytes ||
           memory_held_bytes(sandbox) > limit_bytes - memory_grace_bytes(sandbox->limits);
}

void sandbox_grant_memory(struct sandbox *sandbox) {
    size_t limit_bytes = sandbox->limits->memory_bytes;
    // Half of the slack stays for what one instruction may take.
    size_t most_bytes = limit_bytes + sandbox_slack_bytes(sandbox->limits) / 2;
    memory_collect(sandbox, sandbox->main);
    size_t soft_bytes = memory_held_bytes(sandbox) + memory_grace_bytes(sandbox->limits);
    if (soft_bytes > most_bytes)
        soft_bytes = most_bytes;
    sandbox->soft_bytes = soft_bytes > limit_bytes ? soft_bytes : limit_bytes;
    arena_set_soft(sandbox->arena, sandbox->soft_bytes);
}

bool sandbox_memory_fits(struct sandbox *sandbox, lua_State *L, size_t bytes) {
    size_t soft_bytes = sandbox->soft_bytes;
    if (bytes > soft_bytes)
        return false;
    if (arena_live_bytes(sandbox->arena) <= soft_bytes - bytes)
        return true;
    memory_collect(sandbox, L);
    return arena_live_bytes(sandbox->arena) <= soft_bytes - bytes;
}

bool sandbox_memory_spent(struct sandbox *sandbox, lua_State *L) {
    if (!sandbox->memory_full)
        return false;
    memory_collect(sandbox, L);
    // A sixteenth must be free again, or the next collection would follow at once; not so above the
    // limit, where only the grace is left.
    size_t limit_bytes = sandbox->limits->memory_bytes;
    size_t soft_bytes = sandbox->soft_bytes;
    size_t free_bytes = soft_bytes > limit_bytes ? 0 : limit_bytes / 16;
    size_t live_bytes = arena_live_bytes(sandbox->arena);
    // What is taken must fit too: otherwise values that are a little smaller than their blocks meet
    // the hard cap, where the box is lost, before the live bytes meet the soft one. Where most of
    // it is free blocks of other sizes, the values are not to blame, and the slack is there for
    // them.
    return live_bytes > soft_bytes - free_bytes ||
           (arena_taken_bytes(sandbox->arena) > soft_bytes && live_bytes > soft_bytes / 2);
}
