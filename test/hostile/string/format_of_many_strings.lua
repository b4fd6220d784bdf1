-- expect: limit memory
-- SPDX-License-Identifier: Apache-2.0
local s = ("x"):rep(1000000)
local t = setmetatable({}, {__index = function() return s end})
return ("%s"):rep(50):format(table.unpack(t, 1, 50))
