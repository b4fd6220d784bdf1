-- expect: lua "attempt to load a binary chunk"
-- then: eval
-- SPDX-License-Identifier: Apache-2.0
return "\27Lua\x54\0\x19\x93\r\n\x1a\n"
