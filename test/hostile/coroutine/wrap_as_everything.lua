-- expect: ok [1, 2]
-- SPDX-License-Identifier: Apache-2.0
-- A wrapped coroutine as metamethod, callback and comparator.
local t = setmetatable({}, {__index = coroutine.wrap(function()
    while true do coroutine.yield(1) end
end)})
local s = {3, 1, 2}
table.sort(s, coroutine.wrap(function(a, b) while true do a, b = coroutine.yield(a < b) end end))
return t.x, s[2]
