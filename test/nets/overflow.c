// SPDX-License-Identifier: Apache-2.0
// Writes one byte past the end of a heap block.
#include "plant.h"

#include <stdlib.h>

static void overflow(void **state) {
    (void)state;
    volatile char *block = plant_hide(malloc(16));
    assert_non_null(block);
    block[16] = 1;
    free((void *)block);
}

int main(void) {
    return plant_run(overflow);
}
