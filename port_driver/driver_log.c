// SPDX-License-Identifier: Apache-2.0
#include "driver_log.h"

#include <stdatomic.h>

// Set one after the other; a reader that sees a new pid with an old port loses a message at worst.
static _Atomic(ErlDrvTermData) log_port;
static _Atomic(ErlDrvTermData) log_pid;

void driver_log_to(ErlDrvTermData port, ErlDrvTermData pid) {
    atomic_store_explicit(&log_port, port, memory_order_relaxed);
    atomic_store_explicit(&log_pid, pid, memory_order_relaxed);
}

static char *level_name(enum service_log_level level) {
    switch (level) {
    case SERVICE_LOG_ERROR:
        return "error";
    case SERVICE_LOG_WARNING:
        return "warning";
    default:
        return "info";
    }
}

void driver_log(enum service_log_level level, const char *text, size_t length) {
    ErlDrvTermData port = atomic_load_explicit(&log_port, memory_order_relaxed);
    ErlDrvTermData pid = atomic_load_explicit(&log_pid, memory_order_relaxed);
    if (port == 0 || pid == 0)
        return;
    ErlDrvTermData message[] = {
        ERL_DRV_ATOM,
        driver_mk_atom("tripod_port_driver_log"),
        ERL_DRV_ATOM,
        driver_mk_atom(level_name(level)),
        ERL_DRV_BUF2BINARY,
        (ErlDrvTermData)text,
        length,
        ERL_DRV_TUPLE,
        3,
    };
    (void)erl_drv_send_term(port, pid, message, (int)(sizeof message / sizeof message[0]));
}
