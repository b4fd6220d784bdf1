// SPDX-License-Identifier: Apache-2.0
// For coverage: of two functions of four lines each, one is never called.
#include "plant.h"

static int called(int value) {
    value += 1;
    value *= 2;
    return value;
}

static int never_called(int value) {
    value += 1;
    value *= 2;
    return value;
}

static void half_run(void **state) {
    (void)state;
    int (*volatile choice)(int) = called;
    assert_int_equal(choice(1), 4);
    int (*volatile other)(int) = never_called;
    assert_non_null(other);
}

int main(void) {
    return plant_run(half_run);
}
