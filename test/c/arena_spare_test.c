// SPDX-License-Identifier: Apache-2.0
// Large blocks that were given back are used again, hold what they should, and are the first to go.
#include "arena_rig.h"

#define LARGE (512 * (size_t)1024)
#define HARD  (64 * MIB)

static void grow(struct rig *rig, struct block *block, size_t size) {
    rig_resize(rig, block, size);
}

// What a table does that grows by doubling.
static void grow_by_doubling(struct rig *rig, struct block *block) {
    for (size_t size = LARGE / 2; size <= 2 * LARGE; size *= 2)
        grow(rig, block, size);
}

static void a_large_block_is_used_again(void **state) {
    struct rig *rig = *state;
    assert_int_equal(rig_open(rig, SIZE_MAX, HARD), 0);
    struct block *one = &rig->blocks[0], *other = &rig->blocks[1];
    grow(rig, one, LARGE);
    size_t taken = arena_taken_bytes(rig->arena), requests = rig->host.requests;
    grow(rig, one, 0);
    assert_int_equal(arena_live_bytes(rig->arena), 0);
    assert_int_equal(arena_taken_bytes(rig->arena), taken);
    grow(rig, other, LARGE - 100);
    assert_int_equal(rig->host.requests, requests);
    assert_int_equal(arena_taken_bytes(rig->arena), taken);
    // Much smaller than what is spare, or larger: the host's.
    grow(rig, one, LARGE);
    grow(rig, one, 0);
    requests = rig->host.requests;
    struct block *small = &rig->blocks[2], *large = &rig->blocks[3];
    grow(rig, small, LARGE / 2);
    grow(rig, large, LARGE + 1);
    assert_int_equal(rig->host.requests, requests + 2);
    rig_check_all(rig);
    rig_free_all(rig);
    rig_close(rig);
}

static void tables_that_grow_pass_blocks_on(void **state) {
    struct rig *rig = *state;
    assert_int_equal(rig_open(rig, SIZE_MAX, HARD), 0);
    for (unsigned round = 0; round < 2; round++) {
        grow_by_doubling(rig, &rig->blocks[0]);
        grow(rig, &rig->blocks[0], 0);
    }
    // Grown in the host's hands the second time, for nothing smaller had been left.
    grow_by_doubling(rig, &rig->blocks[0]);
    grow_by_doubling(rig, &rig->blocks[1]);
    grow(rig, &rig->blocks[0], 0);
    grow(rig, &rig->blocks[1], 0);
    grow(rig, &rig->blocks[2], LARGE);
    size_t requests = rig->host.requests;
    grow(rig, &rig->blocks[2], 2 * LARGE); // copied, and checked by rig_resize
    assert_int_equal(rig->host.requests, requests);
    rig_check_all(rig);
    rig_free_all(rig);
    rig_close(rig);
}

static void only_some_are_kept(void **state) {
    struct rig *rig = *state;
    assert_int_equal(rig_open(rig, SIZE_MAX, 16 * MIB), 0);
    for (size_t i = 0; i < 20; i++)
        grow(rig, &rig->blocks[i], LARGE);
    rig_free_all(rig);
    assert_int_equal(arena_live_bytes(rig->arena), 0);
    assert_in_range(arena_taken_bytes(rig->arena), LARGE, 16 * MIB / 8 + FIRST);
    arena_rearm(rig->arena); // nothing is short
    assert_true(arena_taken_bytes(rig->arena) > LARGE);
    arena_set_soft(rig->arena, FIRST);
    assert_int_equal(arena_taken_bytes(rig->arena), FIRST);
    rig_close(rig);
}

static void fill_to_the_cap(struct rig *rig) {
    for (size_t i = 1; i < BLOCKS; i++)
        grow(rig, &rig->blocks[i], rig->size);
}

// As many bytes can be had as if nothing had been kept.
static void spare_blocks_make_room(void **state) {
    struct rig *rig = *state;
    for (size_t size = 3000; size < 1000000; size = size * 3 + 1) {
        size_t live[2];
        for (unsigned spares = 0; spares < 2; spares++) {
            assert_int_equal(rig_open(rig, SIZE_MAX, 8 * MIB), 0);
            grow(rig, &rig->blocks[0], spares ? MIB - 100 : 4000);
            grow(rig, &rig->blocks[0], 0);
            assert_int_equal(arena_taken_bytes(rig->arena) > MIB / 2, spares);
            rig->size = size;
            int spent = rig_catch(rig, fill_to_the_cap);
            assert_true(spent == SERVICE_E_MEMORY || rig->blocks[BLOCKS - 1].data != NULL);
            live[spares] = arena_live_bytes(rig->arena);
            assert_true(arena_taken_bytes(rig->arena) <= 8 * MIB);
            rig_check_all(rig);
            rig_close(rig);
        }
        assert_int_equal(live[1], live[0]);
    }
}

// Bytes that nobody uses are no reason to report.
static void spare_blocks_go_at_the_soft_cap(void **state) {
    struct rig *rig = *state;
    assert_int_equal(rig_open(rig, 2 * MIB, HARD), 0);
    grow(rig, &rig->blocks[0], MIB);
    grow(rig, &rig->blocks[0], 0);
    assert_true(arena_taken_bytes(rig->arena) > MIB);
    grow(rig, &rig->blocks[1], 3 * MIB / 2);
    assert_int_equal(rig->fulls, 0);
    assert_true(arena_taken_bytes(rig->arena) < 2 * MIB);
    grow(rig, &rig->blocks[2], MIB);
    assert_int_equal(rig->fulls, 1);
    rig_free_all(rig);
    rig_close(rig);
}

int main(void) {
    static struct rig rig;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(a_large_block_is_used_again, &rig),
        cmocka_unit_test_prestate(tables_that_grow_pass_blocks_on, &rig),
        cmocka_unit_test_prestate(only_some_are_kept, &rig),
        cmocka_unit_test_prestate(spare_blocks_make_room, &rig),
        cmocka_unit_test_prestate(spare_blocks_go_at_the_soft_cap, &rig),
    };
    return cmocka_run_group_tests_name("arena_spare", tests, NULL, NULL);
}
