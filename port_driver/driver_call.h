// SPDX-License-Identifier: Apache-2.0
// One call, from the frame to the reply message, in the thread that is given it.
//
// Called with the box's port locked, on the scheduler of the process that called port_command (or
// on any scheduler, if the port was busy with another signal at that moment).
#ifndef TRIPOD_DRIVER_CALL_H
#define TRIPOD_DRIVER_CALL_H

#include "driver_box.h"

#include <erl_driver.h>

// Sends exactly one {Port, Id, Reply} to `caller` for every vector that is a call frame, and
// nothing for any other. `box` is NULL while the port has none. Returns what the box said: after
// BOX_CLOSED the port has no purpose any more.
enum box_result driver_call_run(struct driver_box *box, ErlDrvTermData port, ErlDrvTermData caller,
                                const ErlIOVec *vector);

#endif
