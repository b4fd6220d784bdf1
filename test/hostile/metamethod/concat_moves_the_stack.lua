-- expect: ok [true, 201, 201, 201, 201]
-- SPDX-License-Identifier: Apache-2.0
-- Lua 5.4.4 as Debian 12 has it goes on with a stack that was freed (core/lua/lua_concat.c).
local function deep(n) return n == 0 and 0 or 1 + deep(n - 1) end
local function object(n)
    return setmetatable({}, {__concat = function(a, b)
        deep(n)
        return "X"
    end})
end
local function many(f)
    local right = 0
    for n = 0, 200 do
        local o = object(n)
        if coroutine.wrap(f)(o) == "abX" then right = right + 1 end
    end
    return right
end
local function concat(o) return "a" .. "b" .. o .. "c" .. "d" end
local outside = true
for n = 1000, 20000, 1000 do outside = outside and concat(object(n)) == "abX" end
return outside, many(concat),
    many(function(o) return select(2, pcall(concat, o)) end),
    many(function(o)
        local t = {2, 1}
        table.sort(t, function(a, b) t.s = concat(o) return a < b end)
        return t.s
    end),
    many(function(o)
        local nested = setmetatable({}, {__concat = function() return concat(o) end})
        return ("x"):gsub("x", function() return (("" .. nested) .. ""):sub(1, 3) end)
    end)
