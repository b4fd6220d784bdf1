-- expect: ok [false, false, 1, 3]
-- SPDX-License-Identifier: Apache-2.0
local t = setmetatable({}, {__newindex = error, __index = error, __len = error})
rawset(t, 1, 1)
return (pcall(rawset, t)), (pcall(rawset, "x", 1, 1)), rawget(t, 1), rawlen("abc")
