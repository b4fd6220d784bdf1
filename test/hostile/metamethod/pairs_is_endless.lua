-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
local t = setmetatable({}, {__pairs = function() return function() return 1 end end})
for _ in pairs(t) do end
