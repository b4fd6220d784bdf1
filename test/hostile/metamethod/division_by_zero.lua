-- expect: ok [false, false, true, true]
-- SPDX-License-Identifier: Apache-2.0
local zero, t = 0, setmetatable({}, {__idiv = function(a, b) return a // b end})
return (pcall(function() return 1 // zero end)), (pcall(function() return 1 % zero end)),
    1.0 // zero == math.huge, 1.0 % zero ~= 1.0 % zero
