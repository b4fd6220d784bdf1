// SPDX-License-Identifier: Apache-2.0
// Overflows a signed integer.
#include "plant.h"

#include <limits.h>

static void undefined(void **state) {
    (void)state;
    volatile int most = INT_MAX;
    volatile int more = most + 1;
    assert_true(more != 0);
}

int main(void) {
    return plant_run(undefined);
}
