// SPDX-License-Identifier: Apache-2.0
// Kills processes for the VM, which has no kill of its own: those that do not end when their pipe
// is closed, one by one, and all there are when the VM lets go of the guard, which happens when it
// halts (docs/decisions/0002). One process for each node: `tripod_port_program guard`.
//
// Its input is records of 13 bytes, numbers unsigned and big-endian:
//
//   '+', Pid:32, Start:64   there is this process
//   '-', Pid:32, Start:64   it is gone
//   '!', Pid:32, Start:64   kill it
//
// Start is the process's start time as /proc says it. A process id may have been given to somebody
// else meanwhile; the pair has not. Knows nothing of boxes and frames.
#ifndef TRIPOD_GUARD_H
#define TRIPOD_GUARD_H

#include "exit_codes.h"

// Obeys until the input ends, then sends SIGKILL to all that are there. Blocks.
enum exit_code guard(int in_fd);

#endif
