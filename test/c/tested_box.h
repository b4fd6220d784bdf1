// SPDX-License-Identifier: Apache-2.0
// The box of a test, and its timer. A failed assertion leaves the test's stack by longjmp, so a box
// there would be known to the census after it is gone. This one is closed by a teardown, wherever
// its test ended: a test that fails fails alone. Include it in one file of a test.
#ifndef TRIPOD_TEST_TESTED_BOX_H
#define TRIPOD_TEST_TESTED_BOX_H

#include "box.h"
#include "preempt_timer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct {
    struct box box;
    bool open;  // since the test began, and perhaps closed again
    bool timed; // the test has started the timer
} tested;

// One at a time: the last one that a test opened must be closed.
static inline int tested_open(const struct service *service, const struct service_limits *limits,
                              const struct box_room *room, void *room_data) {
    tested.open = false;
    int code = box_open(&tested.box, service, limits, room, room_data);
    tested.open = code == 0;
    return code;
}

static inline void tested_start_timer(void) {
    assert_int_equal(preempt_timer_start(), 0);
    tested.timed = true;
}

static inline void tested_stop_timer(void) {
    tested.timed = false;
    preempt_timer_stop();
}

static inline int tested_teardown(void **state) {
    (void)state;
    if (tested.open) {
        box_close(&tested.box);
        // The test's thread was inside, where it does not come back to.
        if (tested.box.inside && tested.box.state != NULL)
            tested.box.service->close(tested.box.state);
        if (tested.box.inside)
            census_leave(&tested.box.census);
    }
    tested.open = false;
    if (tested.timed)
        tested_stop_timer();
    return 0;
}

#define BOX_TEST(test) cmocka_unit_test_teardown(test, tested_teardown)

#endif
