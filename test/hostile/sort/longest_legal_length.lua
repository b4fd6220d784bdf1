-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
local t = setmetatable({}, {__len = function() return (1 << 31) - 2 end, __index = rawlen})
table.sort(t)
