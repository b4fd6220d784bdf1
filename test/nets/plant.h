// SPDX-License-Identifier: Apache-2.0
// What the planted programs share. Each is a cmocka program with one deliberate fault that its test
// does not notice: only the net that it is planted for can. They prove that the nets hold; nothing
// of Tripod is linked in.
#ifndef TRIPOD_PLANT_H
#define TRIPOD_PLANT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

// Hides a value from the optimizer, which would otherwise drop the fault or warn of it.
static inline void *plant_hide(void *pointer) {
    void *volatile hidden = pointer;
    return hidden;
}

static inline int plant_run(CMUnitTestFunction fault) {
    const struct CMUnitTest tests[] = {{"plant", fault, NULL, NULL, NULL}};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
