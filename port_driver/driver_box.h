// SPDX-License-Identifier: Apache-2.0
// A box as the driver holds it, apart from the port that leads to it: counted references, an owner,
// and a number under which any process can find it.
//
// A port's data dies in `stop`. The box does not have to: whoever else is at work on it (the
// switchboard on another scheduler, a job in the async pool) holds a reference, and the memory goes
// with the last one. What is inside the box goes earlier, when the gate says so (core/gate.h).
//
//   driver_box_open      the port's reference           1
//   driver_box_share     a job is on its way            2
//   driver_box_find      the switchboard looks it up    3
//   driver_box_retire    the port is closed             2    not found any more; gate closed
//   driver_box_drop      the switchboard is done        1
//   driver_box_drop      the job came back              0    freed
//
// Knows nothing of terms, frames and callbacks. Any thread, except where said.
#ifndef TRIPOD_DRIVER_BOX_H
#define TRIPOD_DRIVER_BOX_H

#include "box.h"
#include "service.h"

#include <erl_driver.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct driver_box {
    struct box box;
    uint64_t id;
    ErlDrvPort port; // used by the thread that holds the port's lock only
    // A pid. Written by the thread that holds the port's lock, read by any.
    _Atomic(ErlDrvTermData) owner;
    _Atomic(uint32_t) references;
    struct driver_box *next; // in the registry's bucket; guarded by its mutex
};

// Once, before and after everything else. 0, or -1 without memory.
int driver_box_init(void);
void driver_box_finish(void);

// An id no other box of this node has had, unless it lived in another load of the library within
// the same nanosecond. `async`: its calls run on threads that are no schedulers. 0, or a negative
// code of service.h with nothing left behind.
int driver_box_open(ErlDrvPort port, ErlDrvTermData owner, const struct service *service,
                    const struct service_limits *limits, bool async, struct driver_box **out);

// A new reference, or NULL: there is no such box, or its port is closed.
struct driver_box *driver_box_find(uint64_t id);
// One reference more, by who has one.
void driver_box_share(struct driver_box *box);
void driver_box_drop(struct driver_box *box);

// Takes the box out of the registry, closes it and drops the port's reference.
void driver_box_retire(struct driver_box *box);

// Closes all that are there; their ports stay. Without memory for a list of them it only ends their
// calls, with {error, interrupted}.
void driver_box_close_all(void);

#endif
