-- expect: lua "invalid UTF-8 code" | ok
-- SPDX-License-Identifier: Apache-2.0
-- Before Lua 5.4.5 stray continuation bytes are skipped.
for _ in utf8.codes("a" .. ("\x80"):rep(1000000)) do end
