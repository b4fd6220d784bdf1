// SPDX-License-Identifier: Apache-2.0
// An arena with a model beside it: every block's content, the live count and what the host gave are
// checked at each step.
#ifndef TRIPOD_TEST_ARENA_RIG_H
#define TRIPOD_TEST_ARENA_RIG_H

#include "arena.h"

#include "test_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define MIB    ((size_t)1 << 20)
#define BLOCKS 600
#define FIRST  ((size_t)4096) // what arena.h says arena_open takes

struct block {
    unsigned char *data;
    size_t size;
    unsigned char fill;
};

struct rig {
    struct test_host host;
    struct arena *arena;
    bool refuses; // from now on the host gives nothing
    unsigned fulls;
    int spent; // the code that `spent` was called with, or 0
    jmp_buf out;
    struct block blocks[BLOCKS];
    size_t live;
    uint64_t random;
    size_t size; // for the actions of a test
};

static inline void *rig_memory(void *context, void *block, size_t old, size_t size) {
    struct rig *rig = context;
    if (rig->refuses && size > 0)
        return NULL;
    return test_host_memory(&rig->host, block, old, size);
}

static inline void rig_full(void *context) {
    ((struct rig *)context)->fulls++;
}

static inline void rig_spent(void *context, int code) {
    struct rig *rig = context;
    rig->spent = code;
    longjmp(rig->out, 1);
}

static inline int rig_open(struct rig *rig, size_t soft_bytes, size_t hard_bytes) {
    memset(rig, 0, sizeof *rig);
    test_host_init(&rig->host);
    rig->host.host.context = rig;
    rig->host.host.memory = rig_memory;
    rig->random = 88172645463325252u;
    const struct arena_config config = {.host = &rig->host.host,
                                        .soft_bytes = soft_bytes,
                                        .hard_bytes = hard_bytes,
                                        .full = rig_full,
                                        .spent = rig_spent,
                                        .context = rig};
    return arena_open(&config, &rig->arena);
}

// Runs an action until it returns or the arena leaves through `spent`, and returns that code or 0.
// The action has a function of its own because locals do not survive a longjmp.
static inline int rig_catch(struct rig *rig, void (*action)(struct rig *rig)) {
    rig->spent = 0;
    if (setjmp(rig->out) == 0)
        action(rig);
    return rig->spent;
}

static inline size_t rig_random(struct rig *rig, size_t below) {
    rig->random ^= rig->random << 13;
    rig->random ^= rig->random >> 7;
    rig->random ^= rig->random << 17;
    return (size_t)(rig->random >> 11) % below;
}

static inline void block_check(const struct block *block) {
    for (size_t i = 0; i < block->size; i++)
        if (block->data[i] != block->fill)
            fail_msg("byte %zu of a block of %zu changed", i, block->size);
}

// Mostly small, at every distance from the borders of the classes, sometimes large.
static inline size_t rig_size(struct rig *rig) {
    switch (rig_random(rig, 16)) {
    case 0:
        return 1 + rig_random(rig, 40000);
    case 1:
    case 2:
        return 1 + rig_random(rig, 4096);
    case 3:
        return 2046 + rig_random(rig, 6);
    default:
        return 1 + rig_random(rig, 600);
    }
}

// The block is checked before and after, and filled anew: `data` is NULL once its size is 0.
static inline void rig_resize(struct rig *rig, struct block *block, size_t size) {
    size_t old = block->size;
    size_t kept = old < size ? old : size;
    block_check(block);
    // Where there is no block, `old` may be anything.
    unsigned char *data =
        arena_realloc(rig->arena, block->data, block->data != NULL ? old : 77, size);
    assert_int_equal(data == NULL, size == 0);
    assert_int_equal((uintptr_t)data % 16, 0);
    block->data = data;
    block->size = kept;
    block_check(block);
    block->size = size;
    block->fill = (unsigned char)rig_random(rig, 256);
    if (size > 0)
        memset(data, block->fill, size);
    rig->live = rig->live - old + size;
    assert_int_equal(arena_live_bytes(rig->arena), rig->live);
    assert_int_equal(arena_taken_bytes(rig->arena), rig->host.live_bytes);
    assert_true(rig->host.live_bytes >= rig->live);
}

static inline void rig_trace(struct rig *rig, size_t steps) {
    for (size_t step = 0; step < steps; step++) {
        struct block *block = &rig->blocks[rig_random(rig, BLOCKS)];
        bool frees = block->data != NULL && rig_random(rig, 2) == 0;
        rig_resize(rig, block, frees ? 0 : rig_size(rig));
    }
}

static inline void rig_check_all(const struct rig *rig) {
    for (size_t i = 0; i < BLOCKS; i++)
        block_check(&rig->blocks[i]);
}

static inline void rig_free_all(struct rig *rig) {
    for (size_t i = 0; i < BLOCKS; i++)
        rig_resize(rig, &rig->blocks[i], 0);
}

static inline void rig_close(struct rig *rig) {
    arena_close(rig->arena);
    assert_int_equal(rig->host.live_bytes, 0);
}

#endif
