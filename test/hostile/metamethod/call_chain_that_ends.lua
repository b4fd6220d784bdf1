-- expect: ok [101]
-- SPDX-License-Identifier: Apache-2.0
local f = function(...) return select("#", ...) end
for _ = 1, 100 do f = setmetatable({}, {__call = f}) end
return f(1)
