// SPDX-License-Identifier: Apache-2.0
// What the program gives up before it reads the first request: the environment it was started
// with, privileges, resources, and every system call that serving does not need. Whoever takes it
// over afterwards holds two pipes, memory up to a limit, and a processor.
//
// All of it or nothing: where the system refuses a part, the program does not serve
// (docs/decisions/0006). Builds with TRIPOD_UNCONFINED, for sanitizers and valgrind, keep what
// those tools need; nothing at run time has that effect. Knows nothing of boxes and frames.
#ifndef TRIPOD_CONFINE_H
#define TRIPOD_CONFINE_H

#include "exit_codes.h"

#include <stdbool.h>
#include <stddef.h>

#ifdef TRIPOD_UNCONFINED
#define CONFINE_FULLY false
#else
#define CONFINE_FULLY true
#endif

// Both: EXIT_CODE_END, or which part the system refused.
//
// What belongs to a thread and is inherited by those it starts, and the size of the stack: to be
// called by the first one, before the box is opened.
enum exit_code confine_privileges(void);
// The rest, for all threads there are; no other can be started afterwards. The process may add
// reach_bytes to its address space. To be called last, before the first request is read.
enum exit_code confine(size_t reach_bytes);

// confine_calls.c: only the system calls named there are left; any other ends the process with
// SIGSYS. Needs PR_SET_NO_NEW_PRIVS. 0, or -1 when the system refuses.
int confine_calls(void);

#endif
