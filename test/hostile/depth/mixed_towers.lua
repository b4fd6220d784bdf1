-- expect: limit depth
-- SPDX-License-Identifier: Apache-2.0
local kinds = {
    function(f) pcall(f) end,
    function(f) coroutine.wrap(f)() end,
    function(f) ("x"):gsub("x", f) end,
    function(f) table.sort({1, 2}, function() f() return false end) end,
    function(f) tostring(setmetatable({}, {__tostring = function() f() return "" end})) end,
    function(f) local x <close> = setmetatable({}, {__close = f}) end,
    function(f) load(function() f() end) end,
    function(f) xpcall(error, f) end,
}
local n = 0
local function deeper()
    n = n + 1
    kinds[n % #kinds + 1](deeper)
end
deeper()
