-- expect: lua "too many results" | limit depth | limit memory | down memory
-- SPDX-License-Identifier: Apache-2.0
-- A million results do not fit the Lua stack, nor does the stack fit the box; any of these may be
-- met first.
return string.unpack(("b"):rep(1500000), ("x"):rep(1500000))
