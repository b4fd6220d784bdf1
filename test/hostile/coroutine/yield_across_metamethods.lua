-- expect: ok [1, 2, 3, 4, 5, 6]
-- SPDX-License-Identifier: Apache-2.0
local y = coroutine.yield
local mt = {__index = function() return y(1) end, __add = function() return y(2) end,
            __concat = function() return y(3) end, __eq = function() return y(4) end,
            __lt = function() return y(5) end, __close = function() y(6) end}
local a, b = setmetatable({}, mt), setmetatable({}, mt)
local co = coroutine.wrap(function()
    local x <close> = a
    local _ = a.x, a + b, a .. b, a == b, a < b
end)
return co(), co(), co(), co(), co(), co()
