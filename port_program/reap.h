// SPDX-License-Identifier: Apache-2.0
// Kills processes for the VM, which has no kill of its own: `tripod_port_program reap
// PID:START...`. Needed only for those that do not end when their pipe is closed
// (docs/decisions/0002).
//
// START is the process's start time as /proc says it. A process id may have been given to somebody
// else meanwhile; the pair has not. Knows nothing of boxes and frames.
#ifndef TRIPOD_REAP_H
#define TRIPOD_REAP_H

#include "exit_codes.h"

// Sends SIGKILL to each process that is still the one meant; does not wait for its end.
enum exit_code reap(int count, char **targets);

#endif
