// SPDX-License-Identifier: Apache-2.0
// A sink that writes the driver's own term language (ErlDrvTermData, erl_driver(3)), and sends it.
//
// Binaries are pointers into the service's memory until erl_drv_send_term copies them into the
// receiver's message; so a reply is sent before the service's next begin or close. Small replies
// live wholly in the struct, on the caller's stack, and allocate nothing.
//
// One thread at a time; sending is for threads that run VM code (a scheduler): on others OTP 25
// crashes on maps of more than 32 keys.
#ifndef TRIPOD_DRIVER_SINK_H
#define TRIPOD_DRIVER_SINK_H

#include "term.h"

#include <erl_driver.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

_Static_assert(sizeof(ErlDrvTermData) == 8, "integers and ids are one 64-bit word each");

struct driver_sink_block;

struct driver_sink {
    struct term_sink sink;
    ErlDrvTermData *words; // `first`, or a larger block of the driver's
    size_t used, capacity;
    // Doubles and names that words point to: they must stay where they are until the term is sent.
    struct driver_sink_block *blocks;
    size_t kept_used; // bytes used in the newest block, or in `kept` while there is none
    ErlDrvTermData first[192];
    double kept[16];
};

void driver_sink_init(struct driver_sink *sink);
// Empties it for the reply `id` from `port`.
void driver_sink_start(struct driver_sink *sink, ErlDrvTermData port, int64_t id);
// Sends {Port, Id, Reply}. False: `to` is gone, or the VM refused the term (a key twice in a map).
bool driver_sink_send(struct driver_sink *sink, ErlDrvTermData port, ErlDrvTermData to);
void driver_sink_release(struct driver_sink *sink);

#endif
