// SPDX-License-Identifier: Apache-2.0
// math.random and math.randomseed. The generator is xoshiro256** (Blackman and Vigna), as in stock
// Lua and with the same numbers for the same seeds. Stock Lua seeds it with the address of its
// state and shows that; here the seeds come from the process's secret stream. The state lies in the
// box and is filled at the first use.
#include "sandbox.h"

static inline uint64_t random_rotate(uint64_t word, unsigned bits) {
    return word << bits | word >> (64 - bits);
}

static uint64_t random_next(uint64_t state[4]) {
    uint64_t second = state[1];
    uint64_t result = random_rotate(second * 5, 7) * 9;
    state[2] ^= state[0];
    state[3] ^= second;
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= second << 17;
    state[3] = random_rotate(state[3], 45);
    return result;
}

static void random_seed(uint64_t state[4], uint64_t low, uint64_t high) {
    state[0] = low;
    state[1] = 0xff; // all zeros would stay zeros
    state[2] = high;
    state[3] = 0;
    for (int i = 0; i < 16; i++)
        (void)random_next(state);
}

void sandbox_seed_random(lua_State *L, lua_Integer seed) {
    random_seed(sandbox_of(L)->random, (uint64_t)seed, 0);
}

static uint64_t *random_state(lua_State *L) {
    struct sandbox *sandbox = sandbox_of(L);
    uint64_t *state = sandbox->random;
    if ((state[0] | state[1] | state[2] | state[3]) == 0)
        random_seed(state, sandbox_secret(), sandbox_secret());
    return state;
}

// One of 0..most, all equally likely: what lies above is drawn anew, after cutting it to as many
// bits as `most` has.
static uint64_t random_up_to(uint64_t state[4], uint64_t drawn, uint64_t most) {
    uint64_t bits = most;
    for (unsigned shift = 1; shift < 64; shift *= 2)
        bits |= bits >> shift;
    while ((drawn & bits) > most)
        drawn = random_next(state);
    return drawn & bits;
}

static int random_random(lua_State *L) {
    uint64_t *state = random_state(L);
    uint64_t drawn = random_next(state);
    lua_Integer low = 1, high;
    switch (lua_gettop(L)) {
    case 0:
        lua_pushnumber(L, (lua_Number)(drawn >> 11) * (0.5 / ((uint64_t)1 << 52)));
        return 1;
    case 1:
        high = sandbox_check_integer(L, 1);
        if (high == 0) {
            lua_pushinteger(L, (lua_Integer)drawn);
            return 1;
        }
        break;
    case 2:
        low = sandbox_check_integer(L, 1);
        high = sandbox_check_integer(L, 2);
        break;
    default:
        return luaL_error(L, "wrong number of arguments");
    }
    luaL_argcheck(L, low <= high, 1, "interval is empty");
    uint64_t result = random_up_to(state, drawn, (uint64_t)high - (uint64_t)low) + (uint64_t)low;
    lua_pushinteger(L, (lua_Integer)result);
    return 1;
}

static int random_randomseed(lua_State *L) {
    struct sandbox *sandbox = sandbox_of(L);
    uint64_t low, high;
    if (lua_isnone(L, 1)) {
        low = sandbox_secret();
        high = sandbox_secret();
    } else {
        low = (uint64_t)sandbox_check_integer(L, 1);
        high = (uint64_t)sandbox_opt_integer(L, 2, 0);
    }
    random_seed(sandbox->random, low, high);
    lua_pushinteger(L, (lua_Integer)low);
    lua_pushinteger(L, (lua_Integer)high);
    return 2;
}

const luaL_Reg sandbox_random_functions[] = {
    {"random", random_random},
    {"randomseed", random_randomseed},
    {NULL, NULL},
};
