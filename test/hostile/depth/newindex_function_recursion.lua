-- expect: limit depth
-- SPDX-License-Identifier: Apache-2.0
local t = setmetatable({}, {__newindex = function(t, k, v) t[k + 1] = v end})
t[1] = 1
