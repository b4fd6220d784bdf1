-- expect: lua "'__index' chain too long"
-- SPDX-License-Identifier: Apache-2.0
local t = {}
for _ = 1, 20000 do t = setmetatable({}, {__index = t}) end
return t.x
