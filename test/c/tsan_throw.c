// SPDX-License-Identifier: Apache-2.0
// Lets ThreadSanitizer see Lua's errors. It keeps a stack of calls per thread, and cuts it back
// when a longjmp passes its own; but Debian's Lua, built with _FORTIFY_SOURCE, calls glibc's
// __longjmp_chk, which TSan (of GCC 12: tsan_interceptors_posix.cpp) does not know. The calls that
// errors left would stay counted until its stack is full. A library takes such a symbol from the
// program when that has one.
#include "tsan.h"

#include <setjmp.h>

#ifdef __SANITIZE_THREAD__
void __longjmp_chk(jmp_buf place, int value) __attribute__((noreturn, visibility("default")));

void __longjmp_chk(jmp_buf place, int value) {
    longjmp(place, value);
}
#else
typedef int tsan_throw_nothing; // an empty file is no C
#endif
