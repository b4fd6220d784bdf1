-- expect: ok [50000, 50000]
-- SPDX-License-Identifier: Apache-2.0
local t = {}
for i = 1, 50000 do t[i] = i end
local co = coroutine.wrap(function(...) coroutine.yield(select("#", ...)) return ... end)
local n = co(table.unpack(t))
return n, select("#", co())
