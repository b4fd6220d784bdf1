// SPDX-License-Identifier: Apache-2.0
// String functions whose work a script decides.
#include "sandbox.h"

#include <string.h>

// The stock one loops over an empty string as often as it is told, and asks for memory that the
// limit forbids; here the limit is applied first, while the box can still go on.
static int text_rep(lua_State *L) {
    size_t length, gap;
    const char *text = luaL_checklstring(L, 1, &length);
    lua_Integer n = luaL_checkinteger(L, 2);
    const char *separator = luaL_optlstring(L, 3, "", &gap);
    if (n <= 0 || length + gap == 0) {
        lua_pushliteral(L, "");
        return 1;
    }
    struct sandbox *sandbox = sandbox_of(L);
    size_t times = (size_t)n;
    if (length + gap < length || times > (size_t)PTRDIFF_MAX / (length + gap))
        return luaL_error(L, "resulting string too large");
    size_t total = times * length + (times - 1) * gap;
    // Twice: the buffer and the string that is made of it.
    if (!sandbox_memory_fits(sandbox, L, total <= SIZE_MAX / 2 ? 2 * total : SIZE_MAX))
        sandbox_leave(L, SANDBOX_STOP_MEMORY);
    luaL_Buffer buffer;
    char *to = luaL_buffinitsize(L, &buffer, total);
    for (size_t i = 0; i < times; i++) {
        memcpy(to, text, length);
        to += length;
        if (gap > 0 && i + 1 < times) {
            memcpy(to, separator, gap);
            to += gap;
        }
    }
    luaL_pushresultsize(&buffer, total);
    return 1;
}

const luaL_Reg sandbox_text_functions[] = {
    {"rep", text_rep},
    {NULL, NULL},
};
