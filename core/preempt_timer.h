// SPDX-License-Identifier: Apache-2.0
// Taps a running thread on the shoulder once a millisecond, and costs next to nothing until then:
// a call that is over within a tick is never disturbed, and says so with a few plain stores.
//
// One watchdog thread per artefact looks at a slot per thread. A thread that is in the same run at
// two ticks gets a real-time signal of its own, at each further tick again; the handler calls
// fire(target) if that thread is still between enter and leave. So fire runs on the thread that
// entered, between any two of its instructions: only what is async-signal-safe may happen in it
// (lua_sethook is, says Lua's ldebug.c; bound beforehand, because a first call through a lazily
// bound symbol runs the dynamic linker). A signal that comes late, in the next run of the thread,
// fires for that run's target: fire must look at the clock, not conclude that time is over.
//
// Knows neither Lua nor the VM. Two artefacts in one process each have a watchdog and a signal.
#ifndef TRIPOD_PREEMPT_TIMER_H
#define TRIPOD_PREEMPT_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#define PREEMPT_TIMER_TICK_NS UINT64_C(1000000)

// `pc` is the address of the instruction that was interrupted, 0 where that is not known.
typedef void preempt_timer_fire(void *target, uintptr_t pc);

// At load: starts the watchdog, unless it runs, and takes a signal that nobody uses (or, when all
// are in use, shares one: what is not ours is passed on to its handler). 0 or SERVICE_E_SYSTEM;
// stop is due only after 0. start and stop may be called by several threads.
int preempt_timer_start(void);

// At unload, once per start; the last one ends the watchdog, waits for signals on their way and
// puts the signal's disposition back. No thread may be between enter and leave, or come to enter.
// Nothing of this file runs afterwards, but for the last two instructions of a handler whose thread
// lost its processor just there; linking with -z nodelete, so that the artefact is never unmapped,
// closes even that gap. Threads that entered keep the signal unblocked.
void preempt_timer_stop(void);

// Begins a run of the calling thread; `fire` and `target` stay valid until leave. False: there is
// no timer (not started, or this thread's first enter found no memory), count instead; leave must
// then not be called. Runs do not nest.
bool preempt_timer_enter(preempt_timer_fire *fire, void *target);

// Within a run: from now on fire gets this target. The old one may be freed afterwards.
void preempt_timer_retarget(void *target);

// To be called by a fire that does not return but leaves by longjmp, right before it does: the
// signal can then come again. The run goes on until leave.
void preempt_timer_escape(void);

// Ends the run: fire is not called after it. `target` may be freed.
void preempt_timer_leave(void);

#endif
