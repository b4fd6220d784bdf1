-- expect: ok [false, false, false]
-- SPDX-License-Identifier: Apache-2.0
local t = setmetatable({}, {__len = function() return "x" end})
return (pcall(table.unpack, t)), (pcall(table.insert, t, 1)), (pcall(table.sort, t))
