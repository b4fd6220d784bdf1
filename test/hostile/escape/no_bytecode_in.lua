-- expect: ok [null, true]
-- SPDX-License-Identifier: Apache-2.0
local f, why = load("\27Lua\x54\0\x19\x93\r\n\x1a\n")
return f, why:find("attempt to load a binary chunk", 1, true) ~= nil
