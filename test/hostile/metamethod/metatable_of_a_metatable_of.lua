-- expect: ok [3000]
-- SPDX-License-Identifier: Apache-2.0
local t, n = {}, 0
for _ = 1, 3000 do t = setmetatable({}, t) end
while getmetatable(t) do t = getmetatable(t) n = n + 1 end
return n
