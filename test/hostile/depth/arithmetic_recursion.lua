-- expect: limit depth
-- SPDX-License-Identifier: Apache-2.0
local t = setmetatable({}, {__add = function(a, b) return a + b end})
return t + 1
