// SPDX-License-Identifier: Apache-2.0
// One box behind two pipes: takes frames, runs the box, writes replies.
//
// Knows no service by name and nothing about processes and privileges (startup.h). One thread; a
// call that runs looks at the input about once a millisecond, between its steps or from the box's
// tick, so that an interrupt and the end of file are noticed in its midst.
#ifndef TRIPOD_PROGRAM_H
#define TRIPOD_PROGRAM_H

#include "exit_codes.h"
#include "service.h"

struct program_config {
    const struct service *service;
    struct service_limits limits;
    int in_fd;
    int out_fd;
};

// Opens the box; there is one per process. EXIT_CODE_END, or why it cannot be.
enum exit_code program_open(const struct program_config *config);
// How much address space serving may take on top of what is mapped when the box is open: the box at
// its hard cap, a request and a reply at their limits, twice, because blocks are moved and leave
// holes. SIZE_MAX where the sum is larger.
size_t program_reach_bytes(void);
// Says hello and serves until the other side closes the pipe or the instance ends. In the midst of
// a call the end of file ends the process from here.
enum exit_code program_serve(void);
// Frees the box. Not needed before the process ends, except to find leaks.
void program_close(void);

#endif
