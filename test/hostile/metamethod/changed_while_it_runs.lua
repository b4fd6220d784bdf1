-- expect: ok [2]
-- SPDX-License-Identifier: Apache-2.0
local mt = {}
mt.__index = function(t, k) mt.__index = nil setmetatable(t, nil) return 2 end
return setmetatable({}, mt).x
