// SPDX-License-Identifier: Apache-2.0
// The arena's caps, and what it does when the host gives no more.
#include "arena_rig.h"

static void reports_full_once_until_rearmed(void **state) {
    struct rig *rig = *state;
    assert_int_equal(rig_open(rig, 40000, MIB), 0);
    void *block = arena_realloc(rig->arena, NULL, 0, 30000);
    assert_int_equal(rig->fulls, 0);
    void *crossing = arena_realloc(rig->arena, NULL, 0, 10001);
    assert_int_equal(rig->fulls, 1);
    void *more = arena_realloc(rig->arena, NULL, 0, 100);
    assert_int_equal(rig->fulls, 1);
    arena_rearm(rig->arena);
    block = arena_realloc(rig->arena, block, 30000, 29999);
    assert_int_equal(rig->fulls, 1); // still above, but this was no growth
    more = arena_realloc(rig->arena, more, 100, 101);
    assert_int_equal(rig->fulls, 2);
    assert_null(arena_realloc(rig->arena, crossing, 10001, 0));
    arena_rearm(rig->arena);
    more = arena_realloc(rig->arena, more, 101, 200);
    assert_int_equal(rig->fulls, 2); // below again
    block = arena_realloc(rig->arena, block, 29999, 45000);
    assert_int_equal(rig->fulls, 3); // a large block that grew
    assert_non_null(more);
    assert_non_null(block);
    rig_close(rig);
}

static void reports_chunks_that_pass_the_soft_cap(void **state) {
    struct rig *rig = *state;
    assert_int_equal(rig_open(rig, 40000, MIB), 0);
    // One byte each: the live bytes stay far below.
    while (rig->fulls == 0)
        assert_non_null(arena_realloc(rig->arena, NULL, 0, 1));
    assert_true(rig->host.live_bytes > 40000);
    assert_true(arena_live_bytes(rig->arena) < 4000);
    arena_rearm(rig->arena);
    size_t taken = rig->host.live_bytes;
    while (rig->fulls == 1)
        assert_non_null(arena_realloc(rig->arena, NULL, 0, 1));
    assert_true(rig->host.live_bytes > taken); // the next chunk, not the next block
    rig_close(rig);
}

static void take_all(struct rig *rig) {
    for (;;) {
        assert_non_null(arena_realloc(rig->arena, NULL, 0, rig->size));
        rig->live += rig->size;
        assert_int_equal(arena_taken_bytes(rig->arena), rig->host.live_bytes);
    }
}

static void leaves_through_spent_at_the_hard_cap(void **state) {
    static const size_t hard[] = {FIRST, FIRST + 100, 10000, 65536, 300000, MIB};
    static const size_t sizes[] = {1, 16, 100, 512, 640, 2048, 2049, 5000, 100000};
    struct rig *rig = *state;
    for (size_t h = 0; h < sizeof hard / sizeof *hard; h++) {
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            assert_int_equal(rig_open(rig, SIZE_MAX, hard[h]), 0);
            rig->size = sizes[s];
            assert_int_equal(rig_catch(rig, take_all), SERVICE_E_MEMORY);
            assert_int_equal(arena_live_bytes(rig->arena), rig->live);
            assert_true(rig->host.live_bytes <= hard[h]);
            // The cap is used up, but for one block, headers, the first chunk and
            // the ends of chunks where no block of this size fits.
            size_t block_bytes = (sizes[s] + 15) / 16 * 16;
            size_t used = rig->live / sizes[s] * block_bytes;
            if (used + block_bytes + FIRST + hard[h] / 4 <= hard[h])
                fail_msg("spent after %zu of %zu bytes in blocks of %zu", used, hard[h], sizes[s]);
            rig_close(rig);
        }
    }
}

static void trace_long(struct rig *rig) {
    rig_trace(rig, 100000);
}

static void survives_random_traces_against_the_hard_cap(void **state) {
    struct rig *rig = *state;
    for (unsigned round = 0; round < 40; round++) {
        size_t hard = 20000 + 17000 * round;
        assert_int_equal(rig_open(rig, SIZE_MAX, hard), 0);
        rig->random += round;
        assert_int_equal(rig_catch(rig, trace_long), SERVICE_E_MEMORY);
        assert_true(rig->host.live_bytes <= hard);
        assert_int_equal(arena_live_bytes(rig->arena), rig->live);
        rig_check_all(rig);
        rig_close(rig);
    }
}

static void resize_first(struct rig *rig) {
    rig_resize(rig, &rig->blocks[0], rig->size);
}

static void refuses_sizes_that_overflow(void **state) {
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 31, SIZE_MAX - 32, SIZE_MAX - 33,
                                   SIZE_MAX / 2};
    static const size_t from[] = {0, 100, 4000, 8000};
    struct rig *rig = *state;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        for (size_t f = 0; f < sizeof from / sizeof *from; f++) {
            assert_int_equal(rig_open(rig, MIB, SIZE_MAX / 4), 0);
            rig->size = from[f];
            assert_int_equal(rig_catch(rig, resize_first), 0);
            rig->size = sizes[s];
            assert_int_equal(rig_catch(rig, resize_first), SERVICE_E_MEMORY);
            block_check(&rig->blocks[0]);
            assert_int_equal(arena_live_bytes(rig->arena), from[f]);
            rig_close(rig);
        }
    }
}

static void fill_blocks(struct rig *rig) {
    for (size_t i = 0; i < BLOCKS; i++)
        rig_resize(rig, &rig->blocks[i], rig_size(rig));
}

static void shrink_blocks(struct rig *rig) {
    for (size_t i = 0; i < BLOCKS; i++)
        if (rig->blocks[i].size > 1)
            rig_resize(rig, &rig->blocks[i], 1 + rig_random(rig, rig->blocks[i].size));
}

static void shrinks_when_nothing_is_left(void **state) {
    struct rig *rig = *state;
    for (unsigned round = 0; round < 30; round++) {
        assert_int_equal(rig_open(rig, SIZE_MAX, 300000), 0);
        rig->random += round;
        assert_int_equal(rig_catch(rig, fill_blocks), SERVICE_E_MEMORY);
        rig->refuses = round % 2 == 0;
        for (unsigned again = 0; again < 5; again++)
            assert_int_equal(rig_catch(rig, shrink_blocks), 0);
        rig_check_all(rig);
        rig->refuses = false;
        rig_free_all(rig);
        rig_close(rig);
    }
}

static void trace_short(struct rig *rig) {
    rig_trace(rig, 1500);
}

static void reports_a_host_that_fails_at_every_place(void **state) {
    struct rig *rig = *state;
    size_t fail_at = 1;
    size_t refusals = 0;
    bool reached;
    do {
        fail_at += 1; // the first is arena_open's
        assert_int_equal(rig_open(rig, SIZE_MAX, SIZE_MAX), 0);
        rig->host.fail_at = fail_at;
        int spent = rig_catch(rig, trace_short);
        reached = rig->host.requests >= fail_at;
        // A host that refuses to shrink a block is no reason to leave.
        assert_true(spent == SERVICE_E_SYSTEM || spent == 0);
        refusals += spent != 0;
        rig_check_all(rig);
        assert_int_equal(arena_live_bytes(rig->arena), rig->live);
        rig_close(rig);
    } while (reached);
    assert_true(refusals > 50);
}

int main(void) {
    static struct rig rig;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(reports_full_once_until_rearmed, &rig),
        cmocka_unit_test_prestate(reports_chunks_that_pass_the_soft_cap, &rig),
        cmocka_unit_test_prestate(leaves_through_spent_at_the_hard_cap, &rig),
        cmocka_unit_test_prestate(survives_random_traces_against_the_hard_cap, &rig),
        cmocka_unit_test_prestate(refuses_sizes_that_overflow, &rig),
        cmocka_unit_test_prestate(shrinks_when_nothing_is_left, &rig),
        cmocka_unit_test_prestate(reports_a_host_that_fails_at_every_place, &rig),
    };
    return cmocka_run_group_tests_name("arena_limits", tests, NULL, NULL);
}
