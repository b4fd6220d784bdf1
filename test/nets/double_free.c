// SPDX-License-Identifier: Apache-2.0
// Frees a block twice.
#include "plant.h"

#include <stdlib.h>

static void double_free(void **state) {
    (void)state;
    char *block = malloc(16);
    char *same = plant_hide(block);
    assert_non_null(block);
    free(block);
    free(same);
}

int main(void) {
    return plant_run(double_free);
}
