-- expect: lua "'__index' chain too long"
-- SPDX-License-Identifier: Apache-2.0
local t = {}
setmetatable(t, {__index = setmetatable({}, {__index = t})})
getmetatable(getmetatable(t).__index).__index = t
return t.x
