// SPDX-License-Identifier: Apache-2.0
// Why the program ended, for whoever reads its exit status: tripod_port_program_shared.erl, in
// one place. Below 64 the status can be the errno of an exec that failed (erl_child_setup.c ends
// the child with it), above 127 it is a signal's number plus 128: SIGSYS is a system call that
// confine.h forbids.
#ifndef TRIPOD_EXIT_CODES_H
#define TRIPOD_EXIT_CODES_H

enum exit_code {
    EXIT_CODE_END = 0,       // the other side closed the pipe: the normal end
    EXIT_CODE_USAGE = 64,    // arguments that make no sense
    EXIT_CODE_PROTOCOL = 65, // bytes on stdin that are not the grammar of wire.h
    EXIT_CODE_SERVICE = 66,  // no service of that name is built in
    // The instance ended itself; these are box_down_reason's names.
    EXIT_CODE_MEMORY = 67,
    EXIT_CODE_SYSTEM = 68, // also: the system refused what the program itself needs
    EXIT_CODE_REPLY = 69,
    EXIT_CODE_REQUEST = 70,
    EXIT_CODE_BROKEN = 71,
    EXIT_CODE_TIME = 72,
    EXIT_CODE_ORPHAN = 79, // the VM was gone before the program could ask to end with it
    // It could not give up what it must (confine.h), so it did not serve.
    EXIT_CODE_SECCOMP = 80,
    EXIT_CODE_LIMITS = 81,
    EXIT_CODE_PRIVILEGES = 82,
};

#endif
