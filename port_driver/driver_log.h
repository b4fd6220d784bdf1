// SPDX-License-Identifier: Apache-2.0
// What services have to say, sent as messages to the loader, which hands it to OTP's logger.
//
// Any thread.
#ifndef TRIPOD_DRIVER_LOG_H
#define TRIPOD_DRIVER_LOG_H

#include "service.h"

#include <erl_driver.h>

#include <stddef.h>

// From now on messages go to `pid`, as if from `port` (a term from driver_mk_port).
void driver_log_to(ErlDrvTermData port, ErlDrvTermData pid);

// {tripod_port_driver_log, error | warning | info, Text}. Dropped when nobody listens.
void driver_log(enum service_log_level level, const char *text, size_t length);

#endif
