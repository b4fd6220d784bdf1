// SPDX-License-Identifier: Apache-2.0
// The stand-in for the VM, towards a linked-in driver: as much of erl_driver as ours uses. One
// thread, which stands for whoever has the port's lock; two things that ERTS does at once on two
// schedulers are done here in the order of the test's choice.
#ifndef TRIPOD_TEST_VM_PORTS_H
#define TRIPOD_TEST_VM_PORTS_H

#include <erl_driver.h>
#include <stdbool.h>
#include <stddef.h>

enum { VM_PIDS = 16, VM_RESULT_BYTES = 64 };

// A process is its pid, from 1 to VM_PIDS - 1. All live again after this; there must be no port.
void vm_pids_reset(void);
// It is dead: nobody can begin to watch it. Its monitors have not fired.
void vm_pid_ends(ErlDrvTermData pid);
// They fire now, those too, if `removed`, that were removed since. ERTS looks whether they were
// (erts_fire_port_monitor in io.c); its documentation does not say so.
void vm_pid_ended(ErlDrvTermData pid, bool removed);

// One at a time. The driver's `start` is called; NULL: it failed.
ErlDrvPort vm_port_open(ErlDrvEntry *driver, ErlDrvTermData owner, const char *command);
// False: the driver, or vm_port_close, has closed it.
bool vm_port_is_open(void);
void vm_port_close(void);
// Port ! {Owner, {connect, Heir}}
void vm_port_connect(ErlDrvTermData heir);
// The length of the result, of which there is room for VM_RESULT_BYTES; 0 when the port is closed.
ErlDrvSSizeT vm_port_control(ErlDrvTermData caller, unsigned op, const void *frame, size_t length,
                             char *result);
// What the VM does when the port is free: its timer, if it was set.
void vm_port_rests(void);
// How many monitors of the port's there are on a process.
size_t vm_port_monitors(ErlDrvTermData pid);

#endif
