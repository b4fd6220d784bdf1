// SPDX-License-Identifier: Apache-2.0
// The Lua service's instance, shared by the files of core/lua and by nobody else.
//
// Every call runs in a coroutine of its own (`call`), which is kept for the next call if this one
// ended well and dropped if it did not. The hook (sandbox_run.c) is the one place that decides to
// pause or stop; sandbox_guard.c holds the library functions that could swallow its decision.
//
// Lua errors are raised only inside lua_resume. Outside of it, in the conversions, nothing can
// raise but the allocator, and that leaves through sandbox_protect.
#ifndef TRIPOD_SANDBOX_H
#define TRIPOD_SANDBOX_H

#include "arena.h"
#include "preempt.h"
#include "service.h"
#include "term.h"

#include <lauxlib.h>
#include <lua.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// LUAI_MAXCCALLS of the stock library: a compile-time constant that no header tells.
#define SANDBOX_MAX_DEPTH 200u

#define SANDBOX_LIBRARIES 6u
#define SANDBOX_STRING    0u // the place of string among them

// Percent of what survived a collection, at which the next one begins, where stock Lua says 200:
// memory is capped anyway, and a program that allocates collects less. A call that lasts is given
// more; what it leaves behind is collected at the pace of short calls, so that a box at rest holds
// less garbage.
#define SANDBOX_GC_PAUSE      400
#define SANDBOX_GC_PAUSE_LONG 800

// What source_bytes is unless configured.
#define SANDBOX_SOURCE_BYTES ((size_t)1024 * 1024)

// The hard cap lies above the soft one by what one instruction or library function may take before
// the hook gets its turn.
static inline size_t sandbox_slack_bytes(const struct service_limits *limits) {
    return limits->memory_bytes / 10 + (size_t)1024 * 1024;
}

// Why the call in progress must end. Set once a call, by the hook or by a catcher.
enum sandbox_stop {
    SANDBOX_GO,
    SANDBOX_STOP_TIME,
    SANDBOX_STOP_MEMORY,
    SANDBOX_STOP_DEPTH,
    SANDBOX_STOP_REPLY,
    SANDBOX_STOP_INTERRUPT,
    SANDBOX_STOP_CLOSE,
};

enum sandbox_verb {
    SANDBOX_EVAL,
    SANDBOX_LOAD,
    SANDBOX_CALL,
    SANDBOX_COMPILE,
    SANDBOX_RUN,
    SANDBOX_SET,
    SANDBOX_GET,
    SANDBOX_RESET,
    SANDBOX_CONFIGURE,
    SANDBOX_ANSWER,
};

// What the next step does.
enum sandbox_phase {
    SANDBOX_START,       // the request is on the stack of `call`
    SANDBOX_RESUME,      // a slice ended; go on
    SANDBOX_RESULTS,     // the results are the `results` topmost values of `call`
    SANDBOX_LUA_ERROR,   // traceback, then the error object, on top of `call`
    SANDBOX_PLAIN_ERROR, // likewise, but the object itself cannot cross
    SANDBOX_LIMIT,       // `stop` says which
    SANDBOX_BADTERM,     // the path, a sequence, is on top of `call`
    SANDBOX_ASK,         // the question is on top of `outcome`: name, then `results` arguments
    SANDBOX_ANSWERED,    // the answer is on the stack of `outcome`
    SANDBOX_UNSUPPORTED, // what, a string, is on top of `call`
};

struct sandbox {
    const struct service_host *host;
    const struct service_limits *limits;
    struct preempt preempt;
    struct arena *arena;
    size_t soft_bytes; // the soft cap of this call: the limit, or a little above what is held
    lua_State *main;
    lua_State *call;    // anchored in the registry under &sandbox->call
    lua_State *outcome; // where the request is put and the reply is found: `call`, or `main`
    lua_State *running; // the coroutine that executes now: where a hook must be armed
    struct sandbox_floor {
        lua_State *from; // a coroutine that stands at C depth 200 - depth
        uint32_t depth;  // 0: there is none yet
    } floors[2];         // for the depth that is the limit, and for one that fits a small stack
    jmp_buf *escape;     // innermost sandbox_protect
    int pinned;          // coroutines resumed where their parent could not yield
    int closing;         // coroutines being closed whose levels Lua does not count on
    int fences;          // of the running coroutine: sandbox_call.h. Never too few
    int nested;          // of those and of the coroutines that wait for it
    enum sandbox_stop stop;
    enum sandbox_phase phase;
    enum sandbox_verb verb;
    int results;
    bool timed;                // the timer calls for looks; otherwise the hook counts instructions
    volatile sig_atomic_t due; // set by the timer's signal: a look is due
    // Functions of the host, or with a lock, that run now; read by the timer's signal handler.
    volatile sig_atomic_t outside;
    volatile uint32_t looks; // taken so far, by the hook or a poll
    struct sandbox_cut {
        uint32_t looks;      // when the signal came last
        uint64_t overdue_ns; // thread time when the call was first seen overdue, or 0
    } cut;                   // of the signal handler
    uint32_t steps_left;     // until sandbox_spend looks
    bool pause_owed;         // a pause was due, and who was told could not take it
    bool asking;             // `call` waits for an answer of the owner's
    bool pausing;            // a yield that reaches the outside is a pause, not the script's own
    int cycles;              // of the collector, ended since the soft cap was crossed
    bool memory_full;        // the soft cap was crossed since the last full collection
    bool careful_tables;     // a table that looked like a sequence was none: count before emitting
    bool empty_as_map;
    bool print_to_owner;
    lua_Integer printed;  // texts that this call printed; in the registry under &printed
    size_t printed_bytes; // of the reply
    struct sandbox_fronts {
        const void *tables[SANDBOX_LIBRARIES]; // to know them by; in the registry under &tables[i]
        uintptr_t least, most;                 // of their addresses, which lie close together
        unsigned used;                         // a bit for each whose functions were looked up
        unsigned open;                         // likewise, of this call
        unsigned added;                        // a script's own entries, about
    } fronts;
    bool lasting;          // the call took a millisecond so far: it is worth preparing for more
    uint32_t looks_before; // how many `looks` there were when the call began
    size_t source_bytes;   // the longest source that is compiled
    lua_Integer chunks;    // compiled so far; the chunk table is in the registry under &chunks
    uint64_t mask_key[2];  // sandbox_identity.c; zeros until the first use
    uint64_t random[4];    // sandbox_random.c; zeros until the first use
    bool seeded;           // by the owner: every fresh state begins with `seed`
    lua_Integer seed;
};

static inline struct sandbox *sandbox_of(lua_State *L) {
    return *(struct sandbox **)lua_getextraspace(L);
}

// sandbox_state.c
// Creates the Lua state with its libraries, or returns a negative service code with nothing left.
int sandbox_start(struct sandbox *sandbox);
void sandbox_finish(struct sandbox *sandbox);
// Runs body(sandbox, data) so that running out of memory in it returns here: body's result, or a
// negative service code after which only sandbox_finish is legal. Nests.
int sandbox_protect(struct sandbox *sandbox, int (*body)(struct sandbox *, void *), void *data);
// Gives `call` a coroutine with an empty stack: the last one, unless that was dropped.
void sandbox_fresh_call(struct sandbox *sandbox);
// Ends the call in progress, and prepares for the next.
void sandbox_drop(struct sandbox *sandbox);
// Makes sure that no script can resume what a stopped call left behind.
void sandbox_drop_call(struct sandbox *sandbox);

// sandbox_depth.c
// Where a call is to be resumed from on this thread, so that it may nest no deeper than its limit
// and the stack allow; NULL where that is Lua's own limit. May allocate.
lua_State *sandbox_floor(struct sandbox *sandbox);
bool sandbox_stack_is_low(void);

// The sandbox's own functions, each list in the file of its name.
extern const luaL_Reg sandbox_base_functions[];
extern const luaL_Reg sandbox_identity_functions[]; // of base: tostring
extern const luaL_Reg sandbox_number_functions[];   // of base: tonumber, select, error
extern const luaL_Reg sandbox_guard_functions[];    // of base: pcall, xpcall
extern const luaL_Reg sandbox_iterate_functions[];  // of base: ipairs
extern const luaL_Reg sandbox_text_functions[];     // of string: those without patterns or formats
extern const luaL_Reg sandbox_format_functions[];   // of string: format
extern const luaL_Reg sandbox_pack_functions[];     // of string: pack, packsize, unpack
extern const luaL_Reg sandbox_coerce_metamethods[]; // of strings: arithmetic
extern const luaL_Reg sandbox_math_functions[];     // without type and random
extern const luaL_Reg sandbox_random_functions[];   // of math: random, randomseed
extern const luaL_Reg sandbox_date_functions[];     // os
extern const luaL_Reg sandbox_table_functions[];    // of table: pack, unpack
extern const luaL_Reg sandbox_move_functions[];     // of table: insert, remove, move
extern const luaL_Reg sandbox_concat_functions[];
extern const luaL_Reg sandbox_sort_functions[];
extern const luaL_Reg sandbox_utf8_functions[]; // all but charpattern, a constant
extern const luaL_Reg sandbox_find_functions[]; // find, match, gmatch
extern const luaL_Reg sandbox_gsub_functions[]; // gsub

// sandbox_load.c
extern const luaL_Reg sandbox_load_base[]; // load
// Called with source and chunk name: returns the function, or nil and a message.
int sandbox_compile(lua_State *L);

// sandbox_print.c
extern const luaL_Reg sandbox_print_functions[];
// Emits the list of what the call printed; 0, or the sink's code.
int sandbox_emit_printed(struct sandbox *sandbox, struct term_sink *sink);
void sandbox_forget_printed(struct sandbox *sandbox);

// sandbox_ask.c
// Pushes a function that asks the owner to call the function of this name.
void sandbox_push_question(lua_State *L, const char *name, size_t length);
// Instead of sandbox_take_request while a question is open.
int sandbox_take_answer(struct sandbox *sandbox, struct term_source *source);
// Goes on with the call: the answer was taken.
void sandbox_answer(struct sandbox *sandbox);
// A question that cannot be asked: the script is told so, or the call ends. For the reply.
void sandbox_fail_question(struct sandbox *sandbox);
// Puts the question where the reply looks for it.
void sandbox_put_question(struct sandbox *sandbox);

// sandbox_guard.c
// The error object on top of L says that a stack is used up, the C stack or L's own.
bool sandbox_is_overflow(lua_State *L);

// sandbox_coroutine.c
extern const luaL_Reg sandbox_coroutine_library[];

// sandbox_run.c
// Resumes `call` with `arguments` values; sets phase and results, or leaves phase SANDBOX_RESUME
// when a slice ended.
void sandbox_resume(struct sandbox *sandbox, int arguments);
// Around whatever a call does on this thread: runs the timer for it, unless it counts.
void sandbox_enter_timer(struct sandbox *sandbox);
// Also when the run is left by a longjmp; the second time it does nothing.
void sandbox_leave_timer(struct sandbox *sandbox);
// Makes the running coroutine call the hook before its next instruction. Async-signal-safe.
void sandbox_arm(struct sandbox *sandbox);
// Tells that `co` runs from now on; a pending soft cap is armed anew there.
void sandbox_switch(struct sandbox *sandbox, lua_State *co);
// Closes the pending variables of `co`, whose __close functions run now, from L; without pauses. A
// status of Lua's; unless that is LUA_OK, the error object is on top of `co`. Afterwards `co` runs.
int sandbox_close_pending(struct sandbox *sandbox, lua_State *L, lua_State *co);
// `co` is about to be closed: no handler of an xpcall in it will be called any more. To be found
// first, with a state in which nothing runs; false if it cannot be.
bool sandbox_find_handler(lua_State *L);
void sandbox_forget_handler(lua_State *co);
// To be called by every function that caught an error: does not return if the call must end.
// `L` has the error object on top.
void sandbox_rethrow(lua_State *L);
// Ends the call for `stop`; never returns.
void sandbox_leave(lua_State *L, enum sandbox_stop stop);
// Can a pause pass from L to the host?
bool sandbox_can_yield(const struct sandbox *sandbox, lua_State *L);
enum sandbox_stop sandbox_stop_for(enum preempt_verdict verdict);
// What the stop word and the clock say, between entering and leaving the timer.
enum preempt_verdict sandbox_look(struct sandbox *sandbox);

// sandbox_cut.c
// Once per process before a signal may come.
void sandbox_prepare_cut(void);
// For the timer's signal handler, which interrupted the thread at `pc`: returns unless the call is
// overdue and nothing but leaving by longjmp is left.
void sandbox_consider_cut(struct sandbox *sandbox, uintptr_t pc);

// sandbox_poll.c
// A step is what takes a few nanoseconds: a byte compared, an element moved.
#ifndef SANDBOX_POLL_STEPS
#define SANDBOX_POLL_STEPS 4096u
#endif
// Ends the call, and does not return, if it must end: for its time, an interrupt, its memory. May
// collect garbage. True: a pause is due and possible; who can, calls sandbox_pause, others go on,
// and the next poll or hook says so again.
bool sandbox_poll(lua_State *L);
// To be called by every loop in C whose length a script decides: books `steps` and polls when about
// SANDBOX_POLL_STEPS are used up. May end the call, so nothing may be held that only the caller
// frees.
static inline bool sandbox_spend(lua_State *L, struct sandbox *sandbox, size_t steps) {
    if (steps < sandbox->steps_left) {
        sandbox->steps_left -= (uint32_t)steps;
        return false;
    }
    return sandbox_poll(L);
}
// Books steps without a look: the next sandbox_spend makes up for it. For what is short but done
// often, where a pause could not be taken.
static inline void sandbox_book(struct sandbox *sandbox, size_t steps) {
    sandbox->steps_left = steps < sandbox->steps_left ? sandbox->steps_left - (uint32_t)steps : 0;
}
// Yields to the host for a pause, as lua_yieldk: `return sandbox_pause(...)`; `again` goes on.
int sandbox_pause(lua_State *L, lua_KContext context, lua_KFunction again);
// Pauses because Lua cannot go on without that (lua_concat.h).
int sandbox_moved(lua_State *L);

// sandbox_identity.c
// Pushes what luaL_tolstring would, with sandbox_identity's instead of an address, and returns
// false; or, where a __tostring must say it, that and its argument, for one result, and returns
// true. What is on top then is made a string, or an error is raised, by sandbox_take_text.
bool sandbox_ask_text(lua_State *L, int index);
void sandbox_take_text(lua_State *L);
#define SANDBOX_IDENTITY_BYTES 19u
// Writes what stands for the address of the value at `index`, unique and the same for the life of
// the value, as "%p" would look. Its length, without the zero; 0 when the value has no identity.
size_t sandbox_identity(lua_State *L, int index, char text[SANDBOX_IDENTITY_BYTES]);

// sandbox_secret.c
// Once per process at least, where files can be read.
void sandbox_prepare_secret(void);
// The next 64 bits of a stream that nobody outside the process can predict, and no box either.
uint64_t sandbox_secret(void);
// A block of 2 * `half_bits` bits, 24 or 32, enciphered: a bijection for each key.
uint64_t sandbox_encipher(const uint64_t key[2], uint64_t block, unsigned half_bits);

// sandbox_date.c
// Once per process at least, where files can be read: the time zone.
void sandbox_prepare_dates(void);

// sandbox_random.c
// As math.randomseed(seed).
void sandbox_seed_random(lua_State *L, lua_Integer seed);

// sandbox_number.c
// As lua_stringtonumber, for the string at `index`, however long: pushes the number and returns
// true, or pushes nothing.
bool sandbox_string_to_number(lua_State *L, int index);
// As luaL_checkinteger and its like, for numbers in strings of any length.
lua_Integer sandbox_slow_integer(lua_State *L, int argument);
lua_Number sandbox_slow_number(lua_State *L, int argument);
static inline lua_Integer sandbox_check_integer(lua_State *L, int argument) {
    return lua_isinteger(L, argument) ? lua_tointegerx(L, argument, NULL)
                                      : sandbox_slow_integer(L, argument);
}
static inline lua_Integer sandbox_opt_integer(lua_State *L, int argument, lua_Integer absent) {
    return lua_isnoneornil(L, argument) ? absent : sandbox_check_integer(L, argument);
}
static inline lua_Number sandbox_check_number(lua_State *L, int argument) {
    return lua_type(L, argument) == LUA_TNUMBER ? lua_tonumberx(L, argument, NULL)
                                                : sandbox_slow_number(L, argument);
}

// sandbox_memory.c
// A call begins. A box that is full after earlier calls gets a little above what it holds, or no
// call could free anything. May collect.
void sandbox_grant_memory(struct sandbox *sandbox);
bool sandbox_memory_is_tight(const struct sandbox *sandbox);
// Collects if the soft cap was crossed. True: the memory limit holds even after that. Within a run
// it does not return if the call must end meanwhile.
bool sandbox_memory_spent(struct sandbox *sandbox, lua_State *L);
// The same for the hook, where leaving returns: what the clock said meanwhile; PREEMPT_PAUSE only
// if it `may_pause`, and then it is to be called again. sandbox->stop says whether the call ends.
enum preempt_verdict sandbox_hook_memory(struct sandbox *sandbox, lua_State *L, bool may_pause);
// A full collection for the script.
void sandbox_collect(lua_State *L);
#define SANDBOX_LARGE_BYTES ((size_t)32 * 1024)
// Can `bytes` more be live without crossing the soft cap? Collects before it says no.
bool sandbox_memory_fits(struct sandbox *sandbox, lua_State *L, size_t bytes);
// Ends the call unless `bytes` more can be live. Small sizes are left to the hook.
static inline void sandbox_need_memory(lua_State *L, struct sandbox *sandbox, size_t bytes) {
    if (bytes >= SANDBOX_LARGE_BYTES && !sandbox_memory_fits(sandbox, L, bytes))
        sandbox_leave(L, SANDBOX_STOP_MEMORY);
}

// sandbox_request.c, sandbox_push.c
// Walks the request onto the stack of `call`; sets verb and phase.
int sandbox_take_request(struct sandbox *sandbox, struct term_source *source);
// The same onto the empty stack of `outcome`, whichever that is.
int sandbox_walk_request(struct sandbox *sandbox, struct term_source *source);

// sandbox_verbs.c
// What each argument of the verb must be, or NULL when there is no such verb. s: text, i: integer,
// v: any value, a: list of script arguments, spread over the stack.
const char *sandbox_find_verb(const char *name, enum sandbox_verb *verb);
// Carries out the request up to the point where Lua code must run: phase says what comes next.
void sandbox_start_verb(struct sandbox *sandbox);

// sandbox_emit.c
// Emits the topmost `n` values of `call` as a list, or the one on top as itself. 0; or a negative
// code of the sink's; or 1 when they cannot be emitted (so): `phase` then says what to answer
// instead, and what the sink holds is void.
int sandbox_emit_results(struct sandbox *sandbox, int n, struct term_sink *sink);
int sandbox_emit_value(struct sandbox *sandbox, struct term_sink *sink);
// Emits nil, a boolean, a number or a string at `index`; 1 when it is none that can cross.
int sandbox_emit_scalar(lua_State *L, int index, struct term_sink *sink);

// sandbox_reply.c
// Emits the whole reply; SERVICE_DONE, SERVICE_MORE to be called again with an empty sink, or a
// negative code.
int sandbox_reply(struct sandbox *sandbox, struct term_sink *sink);

#endif
