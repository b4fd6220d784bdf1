-- expect: lua "attempt to call a table value"
-- SPDX-License-Identifier: Apache-2.0
local t = {}
for _ = 1, 200 do t = setmetatable({}, {__call = t}) end
local f = t
f()
