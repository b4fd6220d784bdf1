// SPDX-License-Identifier: Apache-2.0
// Which thread of the VM's async pool gets a box's next jobs: one that has none, if there is one.
//
// The VM's own choices are round robin, which would let two jobs of one box run at once, and a
// fixed thread for each key (driver_async in erl_async.c takes the key modulo the pool's size),
// which lets boxes wait for one another while other threads idle. The figures here are hints: what
// keeps a box's jobs in order is that all that are in flight have one thread (driver_line.h).
//
// Any thread.
#ifndef TRIPOD_DRIVER_POOL_H
#define TRIPOD_DRIVER_POOL_H

// Once, before and after everything else. 0, or -1 without memory.
int driver_pool_init(void);
void driver_pool_finish(void);

// A thread, as a key for driver_async: the last idle one, or the last of those with the fewest
// jobs. The first threads are those of the first ports, among them the VM's standard output, which
// is written in the pool too (fd_async in sys_drivers.c; driver_async_port_key).
unsigned int driver_pool_choose(void);
// A job is handed to the thread; the thread is done with it.
void driver_pool_add(unsigned int thread);
void driver_pool_remove(unsigned int thread);

#endif
