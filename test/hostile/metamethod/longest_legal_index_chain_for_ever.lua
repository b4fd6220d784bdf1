-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
local t = {}
for _ = 1, 1990 do t = setmetatable({}, {__index = t}) end
while true do local _ = t.x end
