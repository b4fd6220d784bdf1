-- expect: ok
-- SPDX-License-Identifier: Apache-2.0
local t = setmetatable({}, {__mode = "kv"})
for i = 1, 1000 do t[i] = {} end
return t
