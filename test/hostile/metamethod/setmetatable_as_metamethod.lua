-- expect: ok [true, "new", true]
-- SPDX-License-Identifier: Apache-2.0
-- It takes away the metatable through which it was called.
local old, new = {__index = setmetatable}, {__index = function() return "new" end}
local t = setmetatable({}, old)
return rawequal(t[new], t), t.x, getmetatable(t) == new
