-- expect: limit memory | down memory
-- SPDX-License-Identifier: Apache-2.0
-- The stack for the arguments is one request of the VM.
local t = {}
for i = 1, 200000 do t[i] = i end
local function f(...) return select("#", ...) end
local function g(...) return f(0, ...) end
return f(table.unpack(t)), f(f, table.unpack(t)), g(table.unpack(t))
