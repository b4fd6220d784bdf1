-- expect: limit depth
-- SPDX-License-Identifier: Apache-2.0
local t = setmetatable({}, {__len = function(t) return #t + 1 end})
return #t
