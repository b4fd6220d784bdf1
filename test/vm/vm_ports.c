// SPDX-License-Identifier: Apache-2.0
#include "vm_ports.h"

#include "vm.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { VM_PORT_MONITORS = 64, VM_ATOMS = 64, VM_ATOM_BYTES = 32 };

struct vm_port_monitor {
    ErlDrvTermData pid; // 0: there is none
    uint64_t id;
    bool fires, removed;
};

static bool vm_ended[VM_PIDS];
static struct {
    ErlDrvEntry *driver; // NULL: there is no port
    ErlDrvData data;
    ErlDrvTermData connected, caller;
    bool timer, eof;
    uint64_t monitor_id;
    struct vm_port_monitor monitors[VM_PORT_MONITORS];
} vm_port;

static ErlDrvPort vm_port_handle(void) {
    return (ErlDrvPort)(void *)&vm_port;
}

static void vm_port_check(ErlDrvPort port) {
    if (port != vm_port_handle())
        abort();
}

void vm_pids_reset(void) {
    if (vm_port.driver != NULL)
        abort();
    memset(vm_ended, 0, sizeof vm_ended);
}

static void vm_port_end(void) {
    ErlDrvEntry *driver = vm_port.driver;
    ErlDrvData data = vm_port.data;
    memset(&vm_port, 0, sizeof vm_port);
    driver->stop(data);
}

ErlDrvPort vm_port_open(ErlDrvEntry *driver, ErlDrvTermData owner, const char *command) {
    char copy[64];
    if (vm_port.driver != NULL || strlen(command) >= sizeof copy)
        abort();
    strcpy(copy, command);
    memset(&vm_port, 0, sizeof vm_port);
    vm_port.driver = driver;
    vm_port.connected = vm_port.caller = owner;
    vm_port.data = driver->start(vm_port_handle(), copy);
    if (vm_port.data == ERL_DRV_ERROR_GENERAL || vm_port.data == ERL_DRV_ERROR_ERRNO) {
        vm_port.driver = NULL;
        return NULL;
    }
    return vm_port_handle();
}

bool vm_port_is_open(void) {
    return vm_port.driver != NULL;
}

void vm_port_close(void) {
    if (vm_port.driver != NULL)
        vm_port_end();
}

void vm_port_connect(ErlDrvTermData heir) {
    vm_port.connected = heir;
}

ErlDrvSSizeT vm_port_control(ErlDrvTermData caller, unsigned op, const void *frame, size_t length,
                             char *result) {
    char copy[256], *out = result;
    if (length > sizeof copy)
        abort();
    if (vm_port.driver == NULL)
        return 0;
    if (length > 0)
        memcpy(copy, frame, length);
    vm_port.caller = caller;
    ErlDrvSSizeT size =
        vm_port.driver->control(vm_port.data, op, copy, length, &out, VM_RESULT_BYTES);
    if (out != result)
        abort(); // no test asks for more
    return size;
}

void vm_port_rests(void) {
    if (vm_port.driver == NULL || !vm_port.timer)
        return;
    vm_port.timer = false;
    vm_port.driver->timeout(vm_port.data);
    if (vm_port.eof)
        vm_port_end();
}

size_t vm_port_monitors(ErlDrvTermData pid) {
    size_t monitors = 0;
    for (size_t i = 0; i < VM_PORT_MONITORS; i++)
        if (vm_port.monitors[i].pid == pid && !vm_port.monitors[i].removed)
            monitors++;
    return monitors;
}

void vm_pid_ends(ErlDrvTermData pid) {
    vm_ended[pid] = true;
    for (size_t i = 0; i < VM_PORT_MONITORS; i++)
        if (vm_port.monitors[i].pid == pid && !vm_port.monitors[i].removed)
            vm_port.monitors[i].fires = true;
}

static void vm_port_fire(struct vm_port_monitor *self) {
    ErlDrvMonitor monitor = {{0}};
    memcpy(&monitor, &self->id, sizeof self->id);
    vm_port.driver->process_exit(vm_port.data, &monitor);
    if (vm_port.driver == NULL)
        abort(); // ERTS uses the port's monitors after the callback
    self->pid = 0;
}

void vm_pid_ended(ErlDrvTermData pid, bool removed) {
    for (size_t i = 0; i < VM_PORT_MONITORS && vm_port.driver != NULL; i++) {
        struct vm_port_monitor *monitor = &vm_port.monitors[i];
        if (monitor->pid == pid && monitor->fires && (removed || !monitor->removed))
            vm_port_fire(monitor);
    }
}

int driver_monitor_process(ErlDrvPort port, ErlDrvTermData pid, ErlDrvMonitor *monitor) {
    vm_port_check(port);
    if (vm_ended[pid])
        return 1;
    size_t i = 0;
    while (vm_port.monitors[i].pid != 0)
        if (++i == VM_PORT_MONITORS)
            abort();
    vm_port.monitors[i] = (struct vm_port_monitor){.pid = pid, .id = ++vm_port.monitor_id};
    memset(monitor, 0, sizeof *monitor);
    memcpy(monitor, &vm_port.monitors[i].id, sizeof vm_port.monitors[i].id);
    return 0;
}

int driver_demonitor_process(ErlDrvPort port, const ErlDrvMonitor *monitor) {
    uint64_t id;
    vm_port_check(port);
    memcpy(&id, monitor, sizeof id);
    for (size_t i = 0; i < VM_PORT_MONITORS; i++)
        if (vm_port.monitors[i].pid != 0 && vm_port.monitors[i].id == id &&
            !vm_port.monitors[i].removed) {
            vm_port.monitors[i].removed = true;
            return 0;
        }
    return 1;
}

int driver_compare_monitors(const ErlDrvMonitor *one, const ErlDrvMonitor *other) {
    return memcmp(one, other, sizeof *one);
}

ErlDrvTermData driver_connected(ErlDrvPort port) {
    vm_port_check(port);
    return vm_port.connected;
}

ErlDrvTermData driver_caller(ErlDrvPort port) {
    vm_port_check(port);
    return vm_port.caller;
}

ErlDrvTermData driver_mk_port(ErlDrvPort port) {
    vm_port_check(port);
    return (ErlDrvTermData)VM_PIDS;
}

ErlDrvTermData driver_mk_atom(char *name) {
    static char names[VM_ATOMS][VM_ATOM_BYTES];
    for (size_t i = 0; i < VM_ATOMS && strlen(name) < VM_ATOM_BYTES; i++) {
        if (names[i][0] == '\0')
            strcpy(names[i], name);
        if (strcmp(names[i], name) == 0)
            return (ErlDrvTermData)(1000 + i);
    }
    abort();
}

int driver_set_timer(ErlDrvPort port, unsigned long ms) {
    vm_port_check(port);
    vm_port.timer = true;
    return ms == 0 ? 0 : -1;
}

int driver_failure_eof(ErlDrvPort port) {
    vm_port_check(port);
    vm_port.eof = true;
    return 0;
}

void set_port_control_flags(ErlDrvPort port, int flags) {
    vm_port_check(port);
    (void)flags;
}

void set_busy_port(ErlDrvPort port, int busy) {
    vm_port_check(port);
    (void)busy;
}

void *driver_alloc(ErlDrvSizeT size) {
    return malloc(size);
}

void *driver_realloc(void *block, ErlDrvSizeT size) {
    return realloc(block, size);
}

void driver_free(void *block) {
    free(block);
}

ErlDrvBinary *driver_alloc_binary(ErlDrvSizeT size) {
    ErlDrvBinary *binary = malloc(sizeof *binary + size);
    if (binary != NULL)
        binary->orig_size = (ErlDrvSSizeT)size;
    return binary;
}

ErlDrvBinary *driver_realloc_binary(ErlDrvBinary *binary, ErlDrvSizeT size) {
    return realloc(binary, sizeof *binary + size);
}

// No test sends a request, whose binary would be counted.
ErlDrvSInt driver_binary_inc_refc(ErlDrvBinary *binary) {
    (void)binary;
    abort();
}

void driver_free_binary(ErlDrvBinary *binary) {
    free(binary);
}

long driver_async(ErlDrvPort port, unsigned int *key, void (*run)(void *), void *data,
                  void (*release)(void *)) {
    (void)port, (void)key, (void)run, (void)data, (void)release;
    abort();
}

int erl_drv_send_term(ErlDrvTermData port, ErlDrvTermData to, ErlDrvTermData *term, int length) {
    (void)port, (void)to, (void)term, (void)length;
    abort();
}

int erl_drv_consume_timeslice(ErlDrvPort port, int percent) {
    (void)port, (void)percent;
    abort();
}

void driver_system_info(ErlDrvSysInfo *info, size_t size) {
    memset(info, 0, size);
    info->async_threads = 1;
}

ErlDrvTime erl_drv_monotonic_time(ErlDrvTimeUnit unit) {
    return enif_monotonic_time((ErlNifTimeUnit)unit);
}

ErlDrvTime erl_drv_time_offset(ErlDrvTimeUnit unit) {
    (void)unit;
    return 0;
}

ErlDrvMutex *erl_drv_mutex_create(char *name) {
    return enif_mutex_create(name);
}

void erl_drv_mutex_destroy(ErlDrvMutex *mutex) {
    enif_mutex_destroy(mutex);
}

void erl_drv_mutex_lock(ErlDrvMutex *mutex) {
    enif_mutex_lock(mutex);
}

void erl_drv_mutex_unlock(ErlDrvMutex *mutex) {
    enif_mutex_unlock(mutex);
}
