// SPDX-License-Identifier: Apache-2.0
// How the arena hands out, reuses and gives back.
#include "arena_rig.h"

static void keeps_every_block_through_random_traces(void **state) {
    struct rig *rig = *state;
    for (unsigned round = 0; round < 4; round++) {
        assert_int_equal(rig_open(rig, SIZE_MAX, SIZE_MAX), 0);
        rig->random += round;
        rig_trace(rig, 20000);
        rig_check_all(rig);
        if (round % 2 == 0) {
            rig_free_all(rig);
            assert_int_equal(arena_live_bytes(rig->arena), 0);
        }
        rig_close(rig);
    }
    assert_int_equal(rig->fulls, 0);
}

static void stays_in_place_within_a_class(void **state) {
    struct rig *rig = *state;
    assert_int_equal(rig_open(rig, MIB, MIB), 0);
    void *block = arena_realloc(rig->arena, NULL, 0, 17);
    assert_ptr_equal(arena_realloc(rig->arena, block, 17, 32), block);
    assert_ptr_equal(arena_realloc(rig->arena, block, 32, 18), block);
    assert_int_equal(arena_live_bytes(rig->arena), 18);
    void *moved = arena_realloc(rig->arena, block, 18, 33);
    assert_ptr_not_equal(moved, block);
    assert_ptr_equal(arena_realloc(rig->arena, NULL, 0, 20), block); // reused
    rig_close(rig);
}

static void frees_nothing_and_allocates_nothing(void **state) {
    struct rig *rig = *state;
    assert_int_equal(rig_open(rig, MIB, MIB), 0);
    assert_null(arena_realloc(rig->arena, NULL, 0, 0));
    assert_null(arena_realloc(rig->arena, NULL, 5, 0));
    assert_int_equal(arena_live_bytes(rig->arena), 0);
    rig_close(rig);
}

static void starts_small(void **state) {
    struct rig *rig = *state;
    assert_int_equal(rig_open(rig, MIB, MIB), 0);
    assert_int_equal(rig->host.live_bytes, FIRST);
    assert_int_equal(rig->host.requests, 1);
    for (size_t i = 0; i < 3000 / 16; i++)
        assert_non_null(arena_realloc(rig->arena, NULL, 0, 16));
    assert_int_equal(rig->host.requests, 1);
    rig_close(rig);
}

// Every byte of a chunk can be handed out, whatever made the next chunk necessary.
static void loses_no_tail(void **state) {
    struct rig *rig = *state;
    assert_int_equal(rig_open(rig, MIB, MIB), 0);
    while (rig->host.requests < 3)
        assert_non_null(arena_realloc(rig->arena, NULL, 0, 1500));
    size_t before = arena_live_bytes(rig->arena);
    while (rig->host.requests < 4)
        assert_non_null(arena_realloc(rig->arena, NULL, 0, 16));
    size_t small = arena_live_bytes(rig->arena) - before - 16;
    // Three chunks were full of blocks of class 1536 and of small ones, but for the headers.
    size_t handed_out = before / 1500 * 1536 + small;
    size_t first_three = FIRST + 2 * (FIRST / 2);
    assert_true(handed_out <= first_three);
    assert_true(handed_out >= first_three - 700);
    rig_close(rig);
}

static void gives_empty_chunks_back_when_rearmed_above_the_soft_cap(void **state) {
    struct rig *rig = *state;
    assert_int_equal(rig_open(rig, 4 * MIB, 64 * MIB), 0);
    struct kept {
        struct kept *next;
        unsigned char rest[40];
    } *kept = NULL, *gone = NULL;
    for (size_t i = 0; i < 200000; i++) {
        struct kept *block = arena_realloc(rig->arena, NULL, 0, sizeof *block);
        struct kept **list = i < 20000 ? &kept : &gone;
        memset(block->rest, i < 20000 ? 0xab : 0, sizeof block->rest);
        block->next = *list;
        *list = block;
    }
    assert_int_equal(rig->fulls, 1);
    while (gone != NULL) {
        struct kept *next = gone->next;
        assert_null(arena_realloc(rig->arena, gone, sizeof *gone, 0));
        gone = next;
    }
    size_t before = rig->host.live_bytes;
    assert_true(before > 9 * MIB);
    arena_rearm(rig->arena);
    assert_true(rig->host.live_bytes < 20000 * sizeof(struct kept) + 300000);
    assert_int_equal(arena_taken_bytes(rig->arena), rig->host.live_bytes);
    for (const struct kept *block = kept; block != NULL; block = block->next)
        for (size_t i = 0; i < sizeof block->rest; i++)
            assert_int_equal(block->rest[i], 0xab);
    rig_trace(rig, 0);
    rig_close(rig);
}

static void trims_between_random_traces(void **state) {
    struct rig *rig = *state;
    assert_int_equal(rig_open(rig, FIRST, SIZE_MAX), 0); // always above: every rearm trims
    for (unsigned round = 0; round < 60; round++) {
        rig_trace(rig, 700);
        for (size_t i = 0; i < BLOCKS; i++)
            if (rig_random(rig, 10) < round % 11)
                rig_resize(rig, &rig->blocks[i], 0);
        arena_rearm(rig->arena);
        assert_int_equal(arena_taken_bytes(rig->arena), rig->host.live_bytes);
        rig_check_all(rig);
    }
    rig_free_all(rig);
    arena_rearm(rig->arena);
    assert_int_equal(rig->host.live_bytes, FIRST);
    rig_close(rig);
}

// Fills two thirds of the cap with blocks of one size and frees them all.
static void fill_and_empty(struct rig *rig) {
    struct chain {
        struct chain *next;
    } *chain = NULL;
    size_t class_bytes = (rig->size + 15) / 16 * 16;
    for (size_t bytes = 0; bytes < MIB / 3 * 2; bytes += class_bytes) {
        struct chain *block = arena_realloc(rig->arena, NULL, 0, rig->size);
        block->next = chain;
        chain = block;
    }
    while (chain != NULL) {
        struct chain *next = chain->next;
        assert_null(arena_realloc(rig->arena, chain, rig->size, 0));
        chain = next;
    }
}

// What one size left is cut up for a smaller one, or given back to be taken for a larger one.
static void reuses_what_other_classes_left(void **state) {
    static const size_t sizes[] = {2048, 16, 1024, 48, 640, 32, 400, 3000, 24};
    struct rig *rig = *state;
    assert_int_equal(rig_open(rig, SIZE_MAX, MIB), 0);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        rig->size = sizes[s];
        if (rig_catch(rig, fill_and_empty) != 0)
            fail_msg("no room for %zu bytes in blocks of %zu", MIB / 3 * 2, sizes[s]);
    }
    rig_close(rig);
}

static void open_fails_cleanly(void **state) {
    struct rig *rig = *state;
    assert_int_equal(rig_open(rig, MIB, FIRST - 1), SERVICE_E_MEMORY);
    assert_null(rig->arena);
    struct test_host host;
    test_host_init(&host);
    host.fail_at = 1;
    const struct arena_config config = {
        .host = &host.host, .soft_bytes = MIB, .hard_bytes = MIB, .full = rig_full};
    assert_int_equal(arena_open(&config, &rig->arena), SERVICE_E_SYSTEM);
    assert_null(rig->arena);
    assert_int_equal(host.live_bytes, 0);
}

int main(void) {
    static struct rig rig;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(keeps_every_block_through_random_traces, &rig),
        cmocka_unit_test_prestate(stays_in_place_within_a_class, &rig),
        cmocka_unit_test_prestate(frees_nothing_and_allocates_nothing, &rig),
        cmocka_unit_test_prestate(starts_small, &rig),
        cmocka_unit_test_prestate(loses_no_tail, &rig),
        cmocka_unit_test_prestate(gives_empty_chunks_back_when_rearmed_above_the_soft_cap, &rig),
        cmocka_unit_test_prestate(trims_between_random_traces, &rig),
        cmocka_unit_test_prestate(reuses_what_other_classes_left, &rig),
        cmocka_unit_test_prestate(open_fails_cleanly, &rig),
    };
    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
