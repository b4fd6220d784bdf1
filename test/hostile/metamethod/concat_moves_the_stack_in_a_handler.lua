-- expect: ok [201]
-- SPDX-License-Identifier: Apache-2.0
-- Where nothing can pause, it may be an error instead.
local function deep(n) return n == 0 and 0 or 1 + deep(n - 1) end
local sane = 0
for n = 0, 200 do
    local o = setmetatable({}, {__concat = function() deep(n) return "X" end})
    local result = coroutine.wrap(function()
        return select(2, xpcall(error, function(e) return e .. "b" .. o .. "c" end, "a"))
    end)()
    if result == "abX" or tostring(result):find("error in error handling")
        or tostring(result):find("the stack cannot move") then
        sane = sane + 1
    end
end
return sane
