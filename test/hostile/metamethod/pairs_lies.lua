-- expect: ok [0]
-- SPDX-License-Identifier: Apache-2.0
local t = setmetatable({1, 2, 3}, {__pairs = function() return function() end end})
local n = 0
for _ in pairs(t) do n = n + 1 end
return n
