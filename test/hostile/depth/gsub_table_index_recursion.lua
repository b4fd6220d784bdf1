-- expect: limit depth
-- SPDX-License-Identifier: Apache-2.0
local t = setmetatable({}, {})
getmetatable(t).__index = function() return (("x"):gsub("x", t)) end
return (("x"):gsub("x", t))
