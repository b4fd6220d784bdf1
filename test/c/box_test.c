// SPDX-License-Identifier: Apache-2.0
// What a box answers to calls, and that nothing stays in the census.
#include "box_rig.h"

static void calls_and_closes(void **state) {
    (void)state;
    struct box *box = open_box();
    for (unsigned call = 1; call <= 3; call++) {
        assert_int_equal(box_begin(box, NULL, 0), BOX_MORE);
        assert_census(1, STATE_BYTES, 1);
        assert_int_equal(step_quietly(box), BOX_DONE);
        assert_census(1, STATE_BYTES, 0);
        assert_int_equal(script.ticks, call);
        assert_int_equal(script.logs, call);
    }
    box_close(box);
    assert_gone();
    box_close(box);
    assert_gone();
}

static void steps_until_done(void **state) {
    (void)state;
    script.steps[0] = script.steps[1] = SERVICE_MORE;
    struct box *box = open_box();
    assert_int_equal(box_begin(box, NULL, 0), BOX_MORE);
    for (unsigned step = 0; step < 2; step++) {
        assert_int_equal(step_quietly(box), BOX_MORE);
        assert_int_equal(box_begin(box, NULL, 0), BOX_TAKEN);
        assert_census(1, STATE_BYTES, 1);
    }
    assert_int_equal(step_quietly(box), BOX_DONE);
    assert_int_equal(script.begun, 1);
    box_close(box);
    assert_gone();
}

// The room's source, then its sink, have too much to do where they are.
static void takes_a_request_and_a_reply_later(void **state) {
    (void)state;
    script.begins = TERM_E_LATER;
    script.steps[0] = TERM_E_LATER;
    struct box *box = open_box();
    assert_int_equal(box_begin(box, NULL, 5), BOX_LATER);
    assert_census(1, STATE_BYTES, 1);
    assert_int_equal(box_begin(box, NULL, 0), BOX_TAKEN);
    assert_true(box_interrupt(box)); // the call is in progress
    script.begins = 0;
    assert_int_equal(box_begin_again(box, NULL), BOX_MORE);
    assert_int_equal(script.stop_seen, SERVICE_STOP_INTERRUPT);
    assert_int_equal(script.time_ns, 5);
    assert_int_equal(step_quietly(box), BOX_LATER);
    assert_census(1, STATE_BYTES, 1);
    assert_int_equal(step_quietly(box), BOX_DONE);
    assert_int_equal(script.begun, 2);
    struct box_usage usage;
    assert_int_equal(box_usage(box, &usage), BOX_DONE);
    assert_int_equal(usage.calls, 1);
    box_close(box);
    assert_gone();
}

// Nobody is inside in between, so whoever closes frees.
static void closes_before_later(void **state) {
    (void)state;
    for (int request = 0; request < 2; request++) {
        memset(&script, 0, sizeof script);
        script.begins = request ? TERM_E_LATER : 0;
        script.steps[0] = TERM_E_LATER;
        struct box *box = open_box();
        enum box_result result = box_begin(box, NULL, 0);
        assert_int_equal(request ? result : step_quietly(box), BOX_LATER);
        box_close(box);
        assert_gone();
        assert_int_equal(request ? box_begin_again(box, NULL) : step_quietly(box), BOX_CLOSED);
        assert_gone();
    }
}

static void closed_where_it_says_later(void **state) {
    (void)state;
    script.begins = TERM_E_LATER;
    struct box *box = open_box();
    script.close_in_begin = box;
    assert_int_equal(box_begin(box, NULL, 0), BOX_CLOSED);
    assert_gone();
}

static void uses_the_time_limit_of_the_call(void **state) {
    (void)state;
    struct box *box = open_box();
    static const uint64_t given[] = {0, 5, 0}, seen[] = {1000, 5, 1000};
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(box_begin(box, NULL, given[i]), BOX_MORE);
        assert_int_equal(script.time_ns, seen[i]);
        assert_int_equal(step_quietly(box), BOX_DONE);
    }
    box_close(box);
    assert_gone();
}

static void refuses_a_second_call(void **state) {
    (void)state;
    script.steps[0] = SERVICE_MORE;
    struct box *box = open_box();
    assert_int_equal(box_begin(box, NULL, 0), BOX_MORE);
    assert_int_equal(box_begin(box, NULL, 0), BOX_TAKEN);
    assert_string_equal(reply_of(box, BOX_TAKEN),
                        "(2 'error' (2 'unsupported' 'concurrent_call' )2 )2");
    struct box_usage usage = {.bytes = 1};
    assert_int_equal(box_usage(box, &usage), BOX_TAKEN);
    assert_int_equal(usage.bytes, 1);
    assert_int_equal(step_quietly(box), BOX_MORE); // the first goes on
    assert_int_equal(step_quietly(box), BOX_DONE);
    box_close(box);
    assert_gone();
}

static void an_interrupt_is_for_the_call_in_progress(void **state) {
    (void)state;
    script.steps[0] = SERVICE_MORE;
    struct box *box = open_box();
    assert_false(box_interrupt(box));
    assert_int_equal(box_begin(box, NULL, 0), BOX_MORE);
    assert_int_equal(script.stop_seen, 0);
    assert_int_equal(step_quietly(box), BOX_MORE);
    assert_true(box_interrupt(box)); // between two steps
    assert_int_equal(step_quietly(box), BOX_DONE);
    assert_int_equal(script.stop_seen, SERVICE_STOP_INTERRUPT);
    assert_false(box_interrupt(box));
    assert_int_equal(box_begin(box, NULL, 0), BOX_MORE);
    assert_int_equal(script.stop_seen, 0);
    assert_int_equal(step_quietly(box), BOX_MORE);
    assert_int_equal(step_quietly(box), BOX_DONE);
    assert_int_equal(script.stop_seen, 0);
    box_close(box);
    assert_gone();
}

static void goes_down_and_says_so_from_then_on(void **state) {
    static const struct {
        int code;
        const char *explained;
    } cases[] = {
        {SERVICE_E_MEMORY, "(2 'error' (2 'down' 'memory' )2 )2"},
        {SERVICE_E_SYSTEM, "(2 'error' (2 'down' 'system' )2 )2"},
        {SERVICE_E_BROKEN, "(2 'error' (2 'down' 'broken' )2 )2"},
        {TERM_E_MEMORY, "(2 'error' (2 'down' 'memory' )2 )2"},
        {TERM_E_SIZE, "(2 'error' (2 'down' 'reply' )2 )2"},
        {TERM_E_DEPTH, "(2 'error' (2 'down' 'reply' )2 )2"},
        {TERM_E_TYPE, "(2 'error' (2 'down' 'reply' )2 )2"},
        {TERM_E_CORRUPT, "(2 'error' (2 'down' 'request' )2 )2"},
        {-1000, "(2 'error' (2 'down' 'broken' )2 )2"},
    };
    for (unsigned i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
        (void)each_starts_clean(state);
        struct box *box = open_box();
        bool in_begin = i % 2 == 0;
        script.begins = in_begin ? cases[i / 2].code : 0;
        script.steps[0] = cases[i / 2].code;
        enum box_result result = box_begin(box, NULL, 0);
        if (!in_begin) {
            assert_int_equal(result, BOX_MORE);
            result = step_quietly(box);
        }
        assert_int_equal(result, BOX_DOWN);
        assert_string_equal(reply_of(box, result), cases[i / 2].explained);
        assert_int_equal(script.closed, 1);
        assert_census(1, 0, 0); // nothing native is left, but the handle
        assert_int_equal(box_begin(box, NULL, 0), BOX_DOWN);
        assert_string_equal(reply_of(box, BOX_DOWN), cases[i / 2].explained);
        struct box_usage usage;
        assert_int_equal(box_usage(box, &usage), BOX_DOWN);
        assert_int_equal(script.begun, 1);
        box_close(box);
        assert_gone();
    }
}

static void reports_usage(void **state) {
    (void)state;
    struct box *box = open_box();
    assert_int_equal(box_begin(box, NULL, 0), BOX_MORE);
    void *more = box->host.memory(box->host.context, NULL, 0, 1000);
    assert_int_equal(step_quietly(box), BOX_DONE);
    assert_null(box->host.memory(box->host.context, more, 1000, 0));
    struct box_usage usage;
    assert_int_equal(box_usage(box, &usage), BOX_DONE);
    assert_int_equal(usage.bytes, STATE_BYTES);
    assert_int_equal(usage.peak_bytes, STATE_BYTES + 1000);
    assert_int_equal(usage.calls, 1);
    assert_int_equal(usage.live_bytes, 77);
    box_close(box);
    assert_gone();
}

static void opens_whole_or_not_at_all(void **state) {
    (void)state;
    script.opens = SERVICE_E_SYSTEM;
    assert_int_equal(tested_open(&fake_service, &limits, &room, &script), SERVICE_E_SYSTEM);
    assert_census(0, 0, 0);
    struct service other = fake_service;
    other.abi = SERVICE_ABI + 1;
    assert_int_equal(tested_open(&other, &limits, &room, &script), SERVICE_E_BROKEN);
    assert_int_equal(script.opened, 1);
    assert_int_equal(script.closed, 0);
    assert_census(0, 0, 0);
}

static void explaining_stops_where_the_sink_does(void **state) {
    (void)state;
    struct box *box = open_box();
    static const enum box_result results[] = {BOX_CLOSED, BOX_TAKEN, BOX_DOWN};
    for (unsigned i = 0; i < 3; i++) {
        size_t events = i == 0 ? 4 : 7;
        for (size_t refuse_at = 1; refuse_at <= events + 1; refuse_at++) {
            struct record record;
            record_init(&record);
            record.refuse_at = refuse_at;
            record.code = TERM_E_SIZE;
            int code = box_explain(box, results[i], &record.sink);
            assert_int_equal(code, refuse_at <= events ? TERM_E_SIZE : 0);
            assert_null(record.broke);
            record_release(&record);
        }
    }
    box_close(box);
    assert_gone();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FAKE_TEST(calls_and_closes),
        FAKE_TEST(steps_until_done),
        FAKE_TEST(takes_a_request_and_a_reply_later),
        FAKE_TEST(closes_before_later),
        FAKE_TEST(closed_where_it_says_later),
        FAKE_TEST(uses_the_time_limit_of_the_call),
        FAKE_TEST(refuses_a_second_call),
        FAKE_TEST(an_interrupt_is_for_the_call_in_progress),
        FAKE_TEST(goes_down_and_says_so_from_then_on),
        FAKE_TEST(reports_usage),
        FAKE_TEST(opens_whole_or_not_at_all),
        FAKE_TEST(explaining_stops_where_the_sink_does),
    };
    return cmocka_run_group_tests_name("box", tests, NULL, NULL);
}
