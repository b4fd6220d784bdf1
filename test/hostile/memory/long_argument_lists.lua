-- expect: limit memory | down memory | limit depth
-- SPDX-License-Identifier: Apache-2.0
-- Each frame keeps its arguments; the stack is doubled by one request of the VM.
local t = {}
for i = 1, 10000 do t[i] = i end
local function deeper(...) return 1 + deeper(...) end
deeper(table.unpack(t))
