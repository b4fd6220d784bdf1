// SPDX-License-Identifier: Apache-2.0
// How much C stack the calling thread has left. The VM's threads differ much: on OTP 25 a normal
// scheduler has 1032 KB, a dirty one 328 KB, a thread of the async pool 136 KB.
#ifndef TRIPOD_STACK_H
#define TRIPOD_STACK_H

#include <stddef.h>

// 0 when the system does not tell. The first call on a thread asks the system, which for a
// process's first thread may open /proc/self/maps; later ones cost a few nanoseconds.
size_t stack_left_bytes(void);

#endif
