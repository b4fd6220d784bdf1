-- expect: limit memory
-- SPDX-License-Identifier: Apache-2.0
local t = {}
for i = 1, 100 do t[i] = ("x"):rep(50000) end
local all = table.concat(t)
local twice = table.concat({all, all, all})
return table.concat({twice, twice, twice})
