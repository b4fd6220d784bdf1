// SPDX-License-Identifier: Apache-2.0
// The switchboard: what any process may do to a box whose own port is locked because a call runs.
//
// A port runs one callback at a time, so a port_control to the box's own port would wait for the
// very call it is to interrupt, and would park a scheduler while it waits (a queued port task takes
// the port's lock with a blocking lock: erts_port_task_execute). So these requests go to a second
// port of the same driver. It has no owner and no state.
//
// Called on the scheduler of the process that calls port_control.
#ifndef TRIPOD_DRIVER_SWITCH_H
#define TRIPOD_DRIVER_SWITCH_H

#include <erl_driver.h>

#include <stddef.h>

// The control callback of a switchboard port. `result` has DRIVER_RESULT_BYTES. Returns the length
// of the result, or -1: not an operation of a switchboard, badarg for the caller.
ErlDrvSSizeT driver_switch_control(ErlDrvPort port, unsigned int op, const char *frame,
                                   size_t length, char *result);

#endif
