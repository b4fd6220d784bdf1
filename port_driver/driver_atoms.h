// SPDX-License-Identifier: Apache-2.0
// Atoms by name. The names that services use are looked up in the VM's table once, when the driver
// is loaded; after that the table here is only read. Any thread.
#ifndef TRIPOD_DRIVER_ATOMS_H
#define TRIPOD_DRIVER_ATOMS_H

#include <erl_driver.h>

#include <stdbool.h>
#include <stddef.h>

// Once, before everything else.
void driver_atoms_init(void);

// False: driver_mk_atom cannot make it: not ASCII, or too long; *atom is then untouched.
bool driver_atom(const char *name, size_t length, ErlDrvTermData *atom);

#endif
