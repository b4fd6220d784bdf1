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

// Above the limit only the grace is left; otherwise a sixteenth must be free after a collection, or
// the next one would follow at once.
static bool memory_is_short(const struct sandbox *sandbox) {
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

// Outside a run: nothing can be stopped there, and nobody would be.
static void memory_collect_at_once(struct sandbox *sandbox, lua_State *L) {
    (void)lua_gc(L, LUA_GCCOLLECT);
    sandbox->memory_full = false;
    sandbox->cycles = 0;
    arena_rearm(sandbox->arena);
}

static enum preempt_verdict memory_look(struct sandbox *sandbox) {
    return sandbox->timed && !sandbox->due ? PREEMPT_GO : sandbox_look(sandbox);
}

// Inside a run: in basic steps of some 0.1 ms, looking at the clock between them. The first cycle
// to end may have begun before what is garbage now became so; only after a second one is everything
// collected. Returns early when the call must end, or for a pause if that `may_pause`; it is to be
// called again then.
static enum preempt_verdict memory_collect(struct sandbox *sandbox, lua_State *L, bool may_pause) {
    do {
        while (lua_gc(L, LUA_GCSTEP, 0) == 0) {
            enum preempt_verdict verdict = memory_look(sandbox);
            if (verdict != PREEMPT_GO && (verdict != PREEMPT_PAUSE || may_pause))
                return verdict;
        }
        sandbox->cycles++;
        arena_rearm(sandbox->arena);
    } while (sandbox->cycles < 2 && memory_is_short(sandbox));
    sandbox->memory_full = false;
    sandbox->cycles = 0;
    return PREEMPT_GO;
}

// As memory_collect, in a C function: does not return if the call must end.
static void memory_collect_or_leave(struct sandbox *sandbox, lua_State *L) {
    enum sandbox_stop stop = sandbox_stop_for(memory_collect(sandbox, L, false));
    if (stop != SANDBOX_GO)
        sandbox_leave(L, stop);
}

static bool memory_in_run(const struct sandbox *sandbox) {
    return sandbox->running != sandbox->main;
}

bool sandbox_memory_is_tight(const struct sandbox *sandbox) {
    size_t limit_bytes = sandbox->limits->memory_bytes;
    return sandbox->soft_bytes != limit_bytes ||
           memory_held_bytes(sandbox) > limit_bytes - memory_grace_bytes(sandbox->limits);
}

void sandbox_grant_memory(struct sandbox *sandbox) {
    size_t limit_bytes = sandbox->limits->memory_bytes;
    size_t grace_bytes = memory_grace_bytes(sandbox->limits);
    // Half of the slack stays for what one instruction may take.
    size_t most_bytes = limit_bytes + sandbox_slack_bytes(sandbox->limits) / 2;
    // A box that lives near its limit need not collect at every call.
    if (!sandbox->memory_full && sandbox->soft_bytes > limit_bytes &&
        memory_held_bytes(sandbox) + grace_bytes / 2 <= sandbox->soft_bytes)
        return;
    memory_collect_at_once(sandbox, sandbox->main);
    size_t soft_bytes = memory_held_bytes(sandbox) + grace_bytes;
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
    if (!memory_in_run(sandbox)) {
        memory_collect_at_once(sandbox, L);
    } else {
        // Garbage of which little is needed: two cycles whatever the first one brings.
        for (int i = 0; i < 2 && arena_live_bytes(sandbox->arena) > soft_bytes - bytes; i++)
            memory_collect_or_leave(sandbox, L);
    }
    return arena_live_bytes(sandbox->arena) <= soft_bytes - bytes;
}

void sandbox_collect(lua_State *L) {
    struct sandbox *sandbox = sandbox_of(L);
    for (int i = 0; i < 2; i++)
        memory_collect_or_leave(sandbox, L);
}

enum preempt_verdict sandbox_hook_memory(struct sandbox *sandbox, lua_State *L, bool may_pause) {
    enum preempt_verdict verdict = memory_collect(sandbox, L, may_pause);
    if (verdict == PREEMPT_GO && memory_is_short(sandbox))
        sandbox_leave(L, SANDBOX_STOP_MEMORY);
    return verdict;
}

bool sandbox_memory_spent(struct sandbox *sandbox, lua_State *L) {
    if (!sandbox->memory_full)
        return false;
    if (memory_in_run(sandbox))
        memory_collect_or_leave(sandbox, L);
    else
        memory_collect_at_once(sandbox, L);
    return memory_is_short(sandbox);
}
