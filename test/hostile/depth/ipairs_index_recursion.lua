-- expect: limit depth
-- SPDX-License-Identifier: Apache-2.0
local t = setmetatable({}, {})
getmetatable(t).__index = function() for _ in ipairs(t) do end end
for _ in ipairs(t) do end
