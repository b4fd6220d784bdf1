-- expect: ok ["x"]
-- SPDX-License-Identifier: Apache-2.0
local t = setmetatable({}, {__len = function() return math.maxinteger end})
table.insert(t, "x")
return t[math.mininteger]
