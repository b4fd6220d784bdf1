-- expect: ok [true, true]
-- SPDX-License-Identifier: Apache-2.0
local mt = {__lt = function() return 1 end, __le = function() return {} end}
local t = setmetatable({}, mt)
return t < 1, "x" <= t
