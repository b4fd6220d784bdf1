// SPDX-License-Identifier: Apache-2.0
// Decides by a byte that nobody wrote.
#include "plant.h"

#include <stdlib.h>

static void uninitialised(void **state) {
    (void)state;
    char *block = plant_hide(malloc(16));
    assert_non_null(block);
    volatile int decided = block[3] == 'x' ? 1 : 2;
    assert_true(decided != 0);
    free(block);
}

int main(void) {
    return plant_run(uninitialised);
}
