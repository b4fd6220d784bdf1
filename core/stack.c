// SPDX-License-Identifier: Apache-2.0
#include "stack.h"

#include <pthread.h>
#include <stdint.h>

// The lowest address that the thread may use; 0: not asked yet; UINTPTR_MAX: not known.
static _Thread_local uintptr_t stack_end __attribute__((tls_model("initial-exec")));

static __attribute__((noinline)) uintptr_t stack_find_end(void) {
    pthread_attr_t attributes;
    void *lowest = NULL;
    size_t size = 0, guard = 0;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0)
        return UINTPTR_MAX;
    // glibc counts the guard pages as a part of the stack (pthread_attr_setguardsize(3), BUGS).
    int failed = pthread_attr_getstack(&attributes, &lowest, &size);
    if (failed == 0)
        failed = pthread_attr_getguardsize(&attributes, &guard);
    (void)pthread_attr_destroy(&attributes);
    return failed == 0 ? (uintptr_t)lowest + guard : UINTPTR_MAX;
}

size_t stack_left_bytes(void) {
    uintptr_t end = stack_end;
    if (end == 0)
        stack_end = end = stack_find_end();
    // Not the address of a local: ASan may keep those elsewhere.
    uintptr_t at = (uintptr_t)__builtin_frame_address(0);
    return at > end ? at - end : 0;
}
