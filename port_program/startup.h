// SPDX-License-Identifier: Apache-2.0
// What the program does to itself before it serves: take the two pipes out of everybody's reach,
// undo what the VM left behind, and end with its parent. What it gives up is confine.h's.
//
// Knows nothing of boxes and frames. Called once, by the only thread.
#ifndef TRIPOD_STARTUP_H
#define TRIPOD_STARTUP_H

// Descriptors that are open after startup_pipes: 0 to 4.
#define STARTUP_FDS 5

struct startup_pipes {
    int in;  // frames from the VM
    int out; // frames to the VM
};

// Moves the pipes away from descriptors 0 and 1, which become /dev/null and stderr, so that a stray
// print of a service cannot end up between two frames. Closes every other descriptor but stderr.
// 0, or -1 when the system refuses.
int startup_pipes(struct startup_pipes *pipes);
// Signals as a program expects them: the VM starts its children with SIGPIPE and SIGFPE ignored
// (SigIgn 0x1080 in /proc; github.com/erlang/otp/pull/4905). SIGPIPE stays ignored: a write to a
// VM that is gone fails with EPIPE.
void startup_signals(void);
// From now on the end of the parent is the end of this process. 0, or -1 when the parent ended
// already.
int startup_die_with_parent(void);

#endif
