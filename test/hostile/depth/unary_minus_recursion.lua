-- expect: limit depth
-- SPDX-License-Identifier: Apache-2.0
local t = setmetatable({}, {__unm = function(t) return -t end})
return -t
