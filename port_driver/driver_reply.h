// SPDX-License-Identifier: Apache-2.0
// A reply in the two forms in which it can leave the driver, written at once because a service
// emits it only once: as words of a message, and, as long as it is short, in external term format.
//
// The short form is the result of a port_control: no message, so nothing is looked for in the
// caller's mailbox, however long that is. The message is for what is longer, where it saves a copy
// and the decoding, and for replies that are fetched later.
//
// On the stack of one thread; allocates nothing while the reply is short.
#ifndef TRIPOD_DRIVER_REPLY_H
#define TRIPOD_DRIVER_REPLY_H

#include "driver_sink.h"
#include "etf.h"
#include "service.h"
#include "term.h"

#include <erl_driver.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// About where the message begins to be the cheaper way (README.md, "Costs").
#define DRIVER_SHORT_BYTES 1024

struct driver_reply {
    struct term_sink sink;
    ErlDrvTermData port;
    int64_t id;
    struct driver_sink message;
    bool want_short;
    bool is_short;               // wanted, and whole so far
    struct etf_writer shorter;   // into `room`
    struct service_host storage; // lends it
    uint8_t room[1 + DRIVER_SHORT_BYTES];
};

// `want_short`: without it only the message is written.
void driver_reply_init(struct driver_reply *reply, ErlDrvTermData port, int64_t id,
                       bool want_short);
// Empties it.
void driver_reply_start(struct driver_reply *reply);
// The short form behind one free byte, `length` with it, or NULL: not wanted or too long. Borrowed
// until the reply is started again or released; the bytes may be changed.
uint8_t *driver_reply_short(struct driver_reply *reply, size_t *length);
// Sends {Port, Id, Reply}. False: `to` is gone, or the VM refused the term (a key twice in a map).
bool driver_reply_send(struct driver_reply *reply, ErlDrvTermData to);
void driver_reply_release(struct driver_reply *reply);

#endif
