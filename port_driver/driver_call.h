// SPDX-License-Identifier: Apache-2.0
// One call of mode inline from the request to the reply, in the thread that is given it, to its
// end.
//
// Called with the box's port locked, on the scheduler of the process that used the port (or on any
// scheduler, if the port was busy with another signal at that moment). `box` is NULL while the port
// has none; `port` is from driver_mk_port. What is returned is what the box said: after BOX_CLOSED
// the port has no purpose any more.
#ifndef TRIPOD_DRIVER_CALL_H
#define TRIPOD_DRIVER_CALL_H

#include "driver_box.h"

#include <erl_driver.h>

#include <stddef.h>
#include <stdint.h>

enum driver_refusal {
    DRIVER_REFUSAL_NOT_OWNER,   // {error, not_owner}
    DRIVER_REFUSAL_CLOSED,      // {error, closed}
    DRIVER_REFUSAL_INTERRUPTED, // {error, interrupted}
    DRIVER_REFUSAL_MEMORY,      // {error, {limit, memory}}
    DRIVER_REFUSAL_BADTERM,     // {error, {badterm, []}}
};

// Sends {Port, Id, Refusal} to `caller`; for calls that never reach their box, in any mode.
void driver_call_refuse(ErlDrvTermData port, ErlDrvTermData caller, int64_t id,
                        enum driver_refusal refusal);

// port_command. Sends exactly one {Port, Id, Reply} to `caller` for every vector that is a frame,
// and nothing for any other.
enum box_result driver_call_send(struct driver_box *box, ErlDrvTermData port, ErlDrvTermData caller,
                                 const ErlIOVec *vector);

// port_control. A short reply is the result; for a longer one {Port, 0, Reply} is sent to `caller`
// and the result is DRIVER_OK. `*result` has DRIVER_RESULT_BYTES and is replaced by a binary of the
// driver's when that is too little.
enum box_result driver_call_control(struct driver_box *box, ErlDrvTermData port,
                                    ErlDrvTermData caller, uint64_t time_ns, const void *request,
                                    size_t length, char **result, ErlDrvSSizeT *result_length);

#endif
