-- expect: limit depth
-- SPDX-License-Identifier: Apache-2.0
local t = setmetatable({}, {__tostring = function(t) return ("%s"):format(t) end})
return ("%s"):format(t)
