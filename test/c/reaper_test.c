// SPDX-License-Identifier: Apache-2.0
// Large boxes are given back by the reaper's thread, small ones at once, and the census knows.
#include "lua_rig.h"
#include "reaper.h"

#include <pthread.h>
#include <stdatomic.h>

static pthread_t tester;
static atomic_uint freed_here, freed_elsewhere;
static pthread_mutex_t gate_mutex = PTHREAD_MUTEX_INITIALIZER; // held: the reaper's frees wait

static void *counting_memory(void *block, size_t old, size_t size) {
    if (size == 0 && block != NULL) {
        if (pthread_equal(pthread_self(), tester)) {
            atomic_fetch_add(&freed_here, 1);
        } else {
            (void)pthread_mutex_lock(&gate_mutex);
            atomic_fetch_add(&freed_elsewhere, 1);
            (void)pthread_mutex_unlock(&gate_mutex);
        }
    }
    return world_memory(block, old, size);
}

static const struct box_room counting = {counting_memory, world_now_ns, world_tick, world_log};

static struct box *fill(const char *source) {
    struct service_limits limits = usual;
    limits.memory_bytes = (size_t)64 * 1024 * 1024;
    struct box *box = open_box_in(&limits, &counting);
    assert_eval(box, source, "( 'ok' [ ]0 )2");
    atomic_store(&freed_here, 0);
    atomic_store(&freed_elsewhere, 0);
    return box;
}

static const char large[] = "t = {} for i = 1, 1e5 do t[i] = {i} end s = ('x'):rep(3e6)";

static void large_boxes_are_reaped(void **state) {
    (void)state;
    assert_int_equal(reaper_start(), 0);
    for (unsigned round = 0; round < 20; round++) {
        struct box *box = fill(large);
        size_t held = atomic_load(&box->census.bytes);
        assert_true(held > REAPER_LEAST_BYTES);
        (void)pthread_mutex_lock(&gate_mutex);
        box_close(box);
        struct census_total total = census_count();
        unsigned freed = atomic_load(&freed_here);
        (void)pthread_mutex_unlock(&gate_mutex);
        assert_int_equal(total.boxes, 0);
        assert_true(total.bytes > held / 2); // nothing large was given back yet
        assert_true(freed <= 3);
        if (round % 2 == 0)
            continue; // several may wait
        reaper_stop();
        assert_nothing_alive();
        assert_true(atomic_load(&freed_elsewhere) > 10);
        assert_int_equal(reaper_start(), 0);
    }
    reaper_stop();
    assert_nothing_alive();
}

static void a_reset_is_reaped(void **state) {
    (void)state;
    assert_int_equal(reaper_start(), 0);
    struct box *box = fill(large);
    struct etf_writer request;
    etf_writer_init(&request, &plain_host, 0, SIZE_MAX / 2);
    etf_writer_reset(&request);
    assert_int_equal(term_begin(&request.sink, TERM_TUPLE, 1), 0);
    assert_int_equal(TERM_ATOM(&request.sink, "reset"), 0);
    assert_int_equal(term_end(&request.sink, TERM_TUPLE, 1), 0);
    struct etf_reader reader;
    etf_reader_init(&reader, request.data, request.length, 256);
    struct record record;
    assert_int_equal(finish(box, box_begin(box, &reader.source, 0), &record), BOX_DONE);
    record_release(&record);
    etf_writer_release(&request);
    assert_true(atomic_load(&freed_here) <= 3);
    assert_eval(box, "return t", "( 'ok' [ 'nil' ]1 )2");
    reaper_stop();
    assert_true(atomic_load(&freed_elsewhere) > 10);
    close_box();
}

static void without_a_reaper_all_is_given_back_at_once(void **state) {
    (void)state;
    struct box *box = fill(large);
    box_close(box);
    assert_int_equal(atomic_load(&freed_elsewhere), 0);
    assert_nothing_alive();
}

static void small_boxes_are_not_reaped(void **state) {
    (void)state;
    assert_int_equal(reaper_start(), 0);
    struct box *box = fill("return");
    box_close(box);
    assert_int_equal(atomic_load(&freed_elsewhere), 0);
    assert_nothing_alive();
    reaper_stop();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOX_TEST(large_boxes_are_reaped),
        BOX_TEST(a_reset_is_reaped),
        BOX_TEST(without_a_reaper_all_is_given_back_at_once),
        BOX_TEST(small_boxes_are_not_reaped),
    };
    tester = pthread_self(); // before there is a reaper, which reads it
    return cmocka_run_group_tests(tests, NULL, NULL);
}
