// SPDX-License-Identifier: Apache-2.0
// What string.format's two files share.
#ifndef TRIPOD_SANDBOX_FORMAT_H
#define TRIPOD_SANDBOX_FORMAT_H

#include "sandbox_build.h"

// Appends the argument as a literal of Lua; an error if it has none. Calls nothing back.
void sandbox_quote(struct build *build, int argument);

#endif
