// SPDX-License-Identifier: Apache-2.0
// The linked-in driver: what the VM calls, and what lives as long as a port.
//
// A port is one of two things, told apart by the command it is opened with: the way to one box, or
// a switchboard (driver_switch.h). Every callback runs with the port locked, because of
// ERL_DRV_FLAG_USE_PORT_LOCKING, and usually in the scheduler thread of the process that caused it;
// README.md has the table. After driver_failure_eof the port's data is gone: return at once.
//
// Knows no service and no term; the only file that fills an ErlDrvEntry.
#include "driver_atoms.h"
#include "driver_box.h"
#include "driver_call.h"
#include "driver_frame.h"
#include "driver_job.h"
#include "driver_line.h"
#include "driver_pool.h"
#include "driver_switch.h"
#include "preempt_timer.h"
#include "reaper.h"

#include <erl_driver.h>

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define DRIVER_NAME "tripod_port_driver"

struct port {
    ErlDrvPort port;
    ErlDrvTermData term;
    bool switchboard;
    // Of a box's port only:
    ErlDrvTermData owner;
    ErlDrvMonitor monitor;  // on the owner; in place from start on, so that no box goes without
    struct driver_box *box; // one reference; NULL until OPEN and after the owner's death
    bool async;             // the box's mode; its requests go through the line
    struct driver_line line;
};

// What runs: without the timer services count instead, without the reaper memory is given back at
// once. Written by init, read by finish: the VM calls both with the driver list locked.
static bool timed, reaps;

static int on_init(void) {
    driver_atoms_init();
    int code = driver_box_init();
    if (code == 0 && driver_pool_init() != 0) {
        driver_box_finish();
        code = -1;
    }
    timed = code == 0 && preempt_timer_start() == 0;
    reaps = code == 0 && reaper_start() == 0;
    return code;
}

// The VM calls it after the last port is gone and the last job has come back (async_add in
// erl_async.c), so no thread is in a service.
static void on_finish(void) {
    if (reaps)
        reaper_stop();
    if (timed)
        preempt_timer_stop();
    driver_pool_finish();
    driver_box_finish();
}

static ErlDrvData on_start(ErlDrvPort port, char *command) {
    struct port *self = driver_alloc(sizeof *self);
    if (self == NULL) {
        errno = ENOMEM;
        return ERL_DRV_ERROR_ERRNO;
    }
    *self = (struct port){
        .port = port,
        .term = driver_mk_port(port),
        .switchboard = strcmp(command, DRIVER_NAME " switchboard") == 0,
        .owner = driver_connected(port),
    };
    if (!self->switchboard && driver_monitor_process(port, self->owner, &self->monitor) != 0) {
        driver_free(self);
        return ERL_DRV_ERROR_GENERAL;
    }
    set_port_control_flags(port, PORT_CONTROL_FLAG_BINARY);
    return (ErlDrvData)self;
}

static void port_retire_box(struct port *self) {
    if (self->box != NULL)
        driver_box_retire(self->box);
    self->box = NULL;
    driver_line_abandon(&self->line);
}

// The VM takes the monitor and the timer away with the port.
static void on_stop(ErlDrvData data) {
    struct port *self = (struct port *)data;
    port_retire_box(self);
    driver_free(self);
}

// The box goes here, its port a moment later: the VM still needs the port's monitors when this
// returns, so a port that is closed in here kills the VM (erts_fire_port_monitor in io.c, "remove
// monitor *after* callback").
static void on_process_exit(ErlDrvData data, ErlDrvMonitor *monitor) {
    struct port *self = (struct port *)data;
    // A former owner's exit may be under way when its monitor is removed. ERTS looks it up once
    // more with the port locked and drops it (erts_fire_port_monitor in io.c), but does not promise
    // to.
    if (driver_compare_monitors(monitor, &self->monitor) != 0)
        return;
    port_retire_box(self);
    (void)driver_set_timer(self->port, 0);
}

static void on_timeout(ErlDrvData data) {
    (void)driver_failure_eof(((struct port *)data)->port);
}

// Whoever closed the box closes its port next, unless it died in between.
static void port_answered(struct port *self, enum box_result result) {
    if (result == BOX_CLOSED)
        (void)driver_set_timer(self->port, 0);
}

// False: there is no memory, or the VM does not take it.
static bool port_start(struct port *self, struct driver_job *job) {
    if (job == NULL)
        return false;
    if (driver_line_send(&self->line, self->port, job))
        return true;
    driver_job_free(job);
    return false;
}

static void port_post(struct port *self, ErlIOVec *vector) {
    ErlDrvTermData caller = driver_caller(self->port);
    struct driver_send send;
    enum driver_send_read read = driver_send_read(vector, &send);
    if (read == DRIVER_SEND_FOREIGN)
        return;
    if (caller != self->owner)
        driver_call_refuse(self->term, caller, send.id, DRIVER_REFUSAL_NOT_OWNER);
    else if (read == DRIVER_SEND_MEMORY ||
             !port_start(self, driver_job_call(self->box, self->term, caller, &send)))
        driver_call_refuse(self->term, caller, send.id, DRIVER_REFUSAL_MEMORY);
    driver_send_release(&send);
}

static void on_ready_async(ErlDrvData data, ErlDrvThreadData thread_data) {
    struct port *self = (struct port *)data;
    struct driver_job *job = (struct driver_job *)thread_data;
    enum box_result result = job->result;
    driver_line_receive(&self->line, self->port, job);
    driver_job_send(job);
    driver_job_free(job);
    port_answered(self, result);
}

static void on_outputv(ErlDrvData data, ErlIOVec *vector) {
    struct port *self = (struct port *)data;
    if (self->switchboard)
        return;
    if (self->async && self->box != NULL) {
        port_post(self, vector);
        return;
    }
    port_answered(self, driver_call_send(self->box, self->term, driver_caller(self->port), vector));
}

static ErlDrvSSizeT port_call(struct port *self, unsigned int op, const char *request,
                              size_t length, char **result) {
    ErlDrvSSizeT result_length;
    port_answered(self, driver_call_control(self->box, self->term, driver_caller(self->port),
                                            driver_call_time_ns(op), request, length, result,
                                            &result_length));
    return result_length;
}

static ErlDrvSSizeT put_error(char *result, const char *reason) {
    return driver_status_put(result, DRIVER_ERROR, reason);
}

static ErlDrvSSizeT port_open(struct port *self, const char *frame, size_t length, char *result) {
    struct driver_open open;
    if (self->box != NULL || !driver_open_read(frame, length, &open))
        return -1;
    const struct service *service = service_find(open.service, open.service_length);
    if (service == NULL)
        return put_error(result, "service");
    int code =
        driver_box_open(self->port, self->owner, service, &open.limits, open.async, &self->box);
    if (code < 0)
        return driver_status_put(result, DRIVER_DOWN, box_down_reason(code));
    self->async = open.async;
    const uint64_t id = self->box->id;
    return driver_numbers_put(result, &id, 1);
}

// The status of a box that cannot be looked into.
static ErlDrvSSizeT put_box_status(const struct driver_box *box, enum box_result status,
                                   char *result) {
    switch (status) {
    case BOX_CLOSED:
        return put_error(result, "closed");
    case BOX_DOWN:
        return driver_status_put(result, DRIVER_DOWN, box_down_reason(box->box.down));
    default:
        return driver_status_put(result, DRIVER_OK, NULL);
    }
}

// What is asked of a box while it has requests in flight comes after them.
static ErlDrvSSizeT port_usage(struct port *self, const char *frame, size_t length, char *result) {
    uint64_t id;
    if (!driver_line_is_empty(&self->line)) {
        if (!driver_id_read(frame, length, &id))
            return -1;
        if (!port_start(self, driver_job_usage(self->box, self->term, self->owner, (int64_t)id)))
            return driver_status_put(result, DRIVER_DOWN, "system");
        return driver_status_put(result, DRIVER_LATER, NULL);
    }
    struct box_usage usage;
    enum box_result status = box_usage(&self->box->box, &usage);
    if (status != BOX_DONE)
        return put_box_status(self->box, status, result);
    const uint64_t numbers[] = {usage.bytes, usage.peak_bytes, usage.calls, usage.live_bytes};
    return driver_numbers_put(result, numbers, sizeof numbers / sizeof numbers[0]);
}

// The handover goes through the port's connected process, the only way to tell a driver a pid.
static ErlDrvSSizeT port_may_give(struct port *self, char *result) {
    if (driver_connected(self->port) != self->owner)
        return put_error(result, "not_owner");
    if (!driver_line_is_empty(&self->line))
        return driver_status_put(result, DRIVER_LATER, NULL);
    struct box_usage usage;
    return put_box_status(self->box, box_usage(&self->box->box, &usage), result);
}

static ErlDrvSSizeT port_give(struct port *self, char *result) {
    ErlDrvTermData heir = driver_connected(self->port);
    if (heir == self->owner)
        return driver_status_put(result, DRIVER_OK, NULL);
    ErlDrvMonitor monitor;
    if (driver_monitor_process(self->port, heir, &monitor) != 0)
        return put_error(result, "noproc");
    (void)driver_demonitor_process(self->port, &self->monitor);
    self->monitor = monitor;
    self->owner = heir;
    atomic_store_explicit(&self->box->owner, heir, memory_order_relaxed);
    return driver_status_put(result, DRIVER_OK, NULL);
}

static ErlDrvSSizeT port_control_by_owner(struct port *self, unsigned int op, const char *frame,
                                          size_t length, char *result) {
    if (op == DRIVER_OPEN)
        return port_open(self, frame, length, result);
    if (self->box == NULL)
        return put_error(result, "closed");
    switch (op) {
    case DRIVER_USAGE:
        return port_usage(self, frame, length, result);
    case DRIVER_MAY_GIVE:
        return port_may_give(self, result);
    case DRIVER_GIVE:
        return port_give(self, result);
    default:
        return -1;
    }
}

// From any process.
static ErlDrvSSizeT port_withdraw(struct port *self, char *result) {
    driver_line_interrupt(&self->line, self->port);
    return driver_status_put(result, DRIVER_OK, NULL);
}

static ErlDrvSSizeT port_awaited(struct port *self, const char *frame, size_t length,
                                 char *result) {
    uint64_t id;
    if (!driver_id_read(frame, length, &id))
        return -1;
    bool awaited = driver_line_awaits(&self->line, driver_caller(self->port), (int64_t)id);
    return driver_status_put(result, awaited ? DRIVER_LATER : DRIVER_OK, NULL);
}

static ErlDrvSSizeT on_control(ErlDrvData data, unsigned int op, char *frame, ErlDrvSizeT length,
                               char **result, ErlDrvSizeT capacity) {
    struct port *self = (struct port *)data;
    if (capacity < DRIVER_RESULT_BYTES)
        return -1;
    if (self->switchboard)
        return driver_switch_control(self->port, op, frame, length, *result);
    if (op >= DRIVER_CALL)
        return self->async ? -1 : port_call(self, op, frame, length, result);
    if (self->async && op == DRIVER_WITHDRAW)
        return port_withdraw(self, *result);
    if (self->async && op == DRIVER_AWAITED)
        return port_awaited(self, frame, length, *result);
    if (driver_caller(self->port) != self->owner)
        return put_error(*result, "not_owner");
    return port_control_by_owner(self, op, frame, length, *result);
}

// Written by the VM when it loads the driver, so not const.
static ErlDrvEntry entry = {
    .init = on_init,
    .start = on_start,
    .stop = on_stop,
    .driver_name = DRIVER_NAME,
    .finish = on_finish,
    .control = on_control,
    .timeout = on_timeout,
    .outputv = on_outputv,
    .ready_async = on_ready_async,
    .extended_marker = (int)ERL_DRV_EXTENDED_MARKER,
    .major_version = ERL_DRV_EXTENDED_MAJOR_VERSION,
    .minor_version = ERL_DRV_EXTENDED_MINOR_VERSION,
    .driver_flags = ERL_DRV_FLAG_USE_PORT_LOCKING,
    .process_exit = on_process_exit,
};

DRIVER_INIT(tripod_port_driver) {
    return &entry;
}
