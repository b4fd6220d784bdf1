// SPDX-License-Identifier: Apache-2.0
// Loses the only pointer to a block.
#include "plant.h"

#include <stdlib.h>

static void leak(void **state) {
    (void)state;
    char *block = plant_hide(malloc(16));
    assert_non_null(block);
    block[0] = 1;
}

int main(void) {
    return plant_run(leak);
}
