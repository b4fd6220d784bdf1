-- expect: ok [false, 0]
-- SPDX-License-Identifier: Apache-2.0
local n = 0
local mt = {__eq = function() n = n + 1 return true end}
return setmetatable({}, mt) == 1, n
