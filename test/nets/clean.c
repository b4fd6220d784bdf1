// SPDX-License-Identifier: Apache-2.0
// No fault at all: a net that reports this one reports everything.
#include "plant.h"

#include <stdlib.h>

static void clean(void **state) {
    (void)state;
    char *block = plant_hide(malloc(16));
    assert_non_null(block);
    block[15] = 1;
    free(block);
}

int main(void) {
    return plant_run(clean);
}
