-- expect: lua "'__newindex' chain too long"
-- SPDX-License-Identifier: Apache-2.0
local t = {}
for _ = 1, 5000 do t = setmetatable({}, {__newindex = t}) end
t.x = 1
