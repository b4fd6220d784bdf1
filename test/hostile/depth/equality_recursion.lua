-- expect: limit depth
-- SPDX-License-Identifier: Apache-2.0
local mt = {__eq = function(a, b) return a == b end}
return setmetatable({}, mt) == setmetatable({}, mt)
