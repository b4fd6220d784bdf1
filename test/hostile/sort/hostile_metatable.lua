-- expect: lua "read only"
-- SPDX-License-Identifier: Apache-2.0
local t = setmetatable({3, 2, 1}, {
    __newindex = function() error("read only") end,
    __len = function() return 5 end,
    __index = function() return 0 end,
})
table.sort(t)
