// SPDX-License-Identifier: Apache-2.0
// What the VM's side writes to the driver, byte by byte, and the bounds checks on it. Any process
// of the node may write to any port, so every frame may be of any length and content.
//
//   to a box's port
//     port_command               SEND:8, Id:64/signed, TimeMs:32, Request in external term format
//                                    => a message {Port, Id, Reply} to the caller
//     port_control CALL + TimeMs Request in external term format
//                                    => Value of a reply {ok, Value}, in external term format (its
//                                       first byte is 131),
//                                       or WHOLE:8, Reply in external term format,
//                                       or status: OK says that a message {Port, 0, Reply} is there
//                                   not for a box of mode async, which takes calls as SEND
//     port_control OPEN          MemoryBytes:64, TimeMs:64, ReplyBytes:64, Depth:32, Preempt:8,
//                                Async:8, Service/binary   => status
//     port_control USAGE + Id:64/signed
//                                => status, then Bytes:64, Peak:64, Calls:64, Live:64; or LATER,
//                                then
//                                   {Port, Id, {ok, {Bytes, Peak, Calls, Live}}}
//     port_control MAY_GIVE      => status: may the caller give the box away?
//     port_control GIVE          => status: the process connected to the port is the owner now
//     port_control WITHDRAW      => status: the first request of a box of mode async that still
//     waits
//                                   for a thread is answered with {error, interrupted}
//     port_control AWAITED, Id:64/signed
//                                => LATER: the reply to this request of the caller's is yet to
//                                come;
//                                   OK: it was sent, or there is no such request
//   to a switchboard port
//     port_control CENSUS        => status, then Boxes:64, Bytes:64, Calls:64
//     port_control INTERRUPT, CLOSE, OWNED   BoxId:64   => status
//     port_control LOG           => status: the caller receives the log
//   status
//     OK:8 | ERROR:8, Reason/binary | DOWN:8, Why/binary     both names of atoms
//     OK:8, BoxId:64   of OPEN
//     LATER:8          of INTERRUPT: no call is in progress; of MAY_GIVE: requests are in flight
//   Reply of a message
//     a term, or a binary with the term in external term format: no reply is a binary itself
//
// Numbers are big-endian. tripod_port_driver.erl and its loader repeat the numbers below.
#ifndef TRIPOD_DRIVER_FRAME_H
#define TRIPOD_DRIVER_FRAME_H

#include "service.h"

#include <erl_driver.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum driver_op {
    DRIVER_SEND = 1,
    DRIVER_OPEN = 2,
    DRIVER_USAGE = 3,
    DRIVER_MAY_GIVE = 4,
    DRIVER_GIVE = 5,
    DRIVER_CENSUS = 6,
    DRIVER_INTERRUPT = 7,
    DRIVER_CLOSE = 8,
    DRIVER_OWNED = 9,
    DRIVER_LOG = 10,
    DRIVER_WITHDRAW = 11,
    DRIVER_AWAITED = 12,
    DRIVER_CLOSE_ALL = 13,
    DRIVER_CALL = 256, // and all above: what is added is the call's time limit in milliseconds
};

enum driver_status {
    DRIVER_OK = 0,
    DRIVER_ERROR = 1,
    DRIVER_DOWN = 2,
    DRIVER_WHOLE = 3,
    DRIVER_LATER = 4,
};

// The VM lends every port_control a result buffer of this size (ERL_DRV control callback).
#define DRIVER_RESULT_BYTES 64

// Writes a status without numbers into a result buffer; returns the length of the result. `reason`
// may be NULL for statuses that have none.
ErlDrvSSizeT driver_status_put(char *result, enum driver_status status, const char *reason);
// The time limit that an operation from DRIVER_CALL upwards carries; 0 for the box's own.
uint64_t driver_call_time_ns(unsigned int op);

// Writes OK and `count` numbers, at most seven.
ErlDrvSSizeT driver_numbers_put(char *result, const uint64_t *numbers, size_t count);

struct driver_send {
    int64_t id;
    uint64_t time_ns;
    const void *request; // external term format, borrowed from the vector or from `flat`
    size_t length;
    ErlDrvBinary *binary; // what the request lies in, borrowed from the vector; may be NULL
    void *flat;           // the driver's copy, when the request lay in several pieces
};

enum driver_send_read {
    DRIVER_SEND_READ,
    DRIVER_SEND_FOREIGN, // not such a frame: there is not even an id to answer to
    DRIVER_SEND_MEMORY,  // no memory for a copy; `id` is set
};
enum driver_send_read driver_send_read(const ErlIOVec *vector, struct driver_send *send);
void driver_send_release(struct driver_send *send);

struct driver_open {
    struct service_limits limits;
    bool async;
    const char *service; // borrowed from the frame
    size_t service_length;
};
// False: malformed.
bool driver_open_read(const char *frame, size_t length, struct driver_open *open);

// False: malformed.
bool driver_id_read(const char *frame, size_t length, uint64_t *id);

#endif
