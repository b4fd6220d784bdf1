// SPDX-License-Identifier: Apache-2.0
// The Lua service where the host puts a conversion off: requests and replies that start over. Only
// looks at the clock take time, so that a slow machine does not end what is not endless.
#include "clocked_box.h"

static struct box *open_later_box(void) {
    struct service_limits limits = usual;
    limits.preempt = SERVICE_PREEMPT_COUNT;
    limits.time_ns = 200;
    limits.slice_ns = 20;
    struct box *box = open_clocked_box_with(&limits);
    clocked.step_ns = 1;
    return box;
}

// At every event of the reply the sink says that it is too much, and is given the reply anew.
static void replies_start_over(void **state) {
    (void)state;
    static const char *const sources[] = {
        "return {1, {a = {2, 'x'}}, {}}, 'y', {[1] = 1, x = 2}",
        "return {print}",
        "error({1, {b = {}}})",
        "error(true)",
        "while true do end",
    };
    struct box *box = open_later_box();
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        struct record whole;
        (void)finish(box, begin_eval(box, sources[i]), &whole);
        for (size_t event = 1; event <= whole.events; event++) {
            struct record record;
            enum box_result result = begin_eval(box, sources[i]);
            do {
                record_init(&record);
                record.refuse_at = event;
                record.code = TERM_E_LATER;
                result = box_step(box, &record.sink);
                record_release(&record);
            } while (result == BOX_MORE);
            assert_int_equal(result, BOX_LATER);
            assert_int_equal(finish(box, BOX_MORE, &record), BOX_DONE);
            assert_string_equal(record.text, whole.text);
            record_release(&record);
        }
        record_release(&whole);
    }
    close_box();
}

static int walk_some(struct term_source *source, struct term_sink *sink) {
    (void)source;
    int code = term_begin(sink, TERM_TUPLE, 3);
    if (code == 0)
        code = TERM_ATOM(sink, "eval");
    return code == 0 ? TERM_E_LATER : code;
}

static void a_request_starts_over(void **state) {
    (void)state;
    struct box *box = open_later_box();
    struct term_source some = {walk_some};
    struct record record;
    assert_int_equal(box_begin(box, &some, 0), BOX_LATER);
    assert_int_equal(box_begin_again(box, &some), BOX_LATER);
    close_box();
    box = open_later_box();
    assert_int_equal(box_begin(box, &some, 0), BOX_LATER);
    assert_true(box_interrupt(box));
    world.resumed = true;
    enum box_result result = begin_eval(box, "while true do end");
    assert_int_equal(finish(box, result, &record), BOX_DONE);
    assert_string_equal(record.text, "( 'error' 'interrupted' )2");
    record_release(&record);
    world.resumed = false;
    assert_eval(box, "return 1", "( 'ok' [ 1 ]1 )2");
    close_box();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOX_TEST(replies_start_over),
        BOX_TEST(a_request_starts_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
