-- expect: lua "string slice too long" | limit depth
-- SPDX-License-Identifier: Apache-2.0
-- Where the library says that the Lua stack cannot hold it, that is the depth limit.
-- options: memory_bytes=268435456
return utf8.codepoint(("x"):rep(2000000), 1, -1)
