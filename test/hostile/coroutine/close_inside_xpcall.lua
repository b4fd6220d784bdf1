-- expect: ok [20]
-- options: memory_bytes=67108864
-- SPDX-License-Identifier: Apache-2.0
-- Lua before 5.4.8 looks for the handler where the stack was before it became smaller.
local function closer(f) return setmetatable({}, {__close = f}) end
local function deep(n, f)
    if n == 0 then return f() end
    local result = deep(n - 1, f)
    return result
end
local n = 0
for _ = 1, 20 do
    local co = coroutine.create(function()
        local x <close> = closer(function()
            collectgarbage()
            collectgarbage()
            local list = {}
            for i = 1, 200 do list[i] = ("A"):rep(1000 + i) end
            error("closed", 0)
        end)
        deep(5000, function()
            return (xpcall(coroutine.yield, function(e) return e end))
        end)
    end)
    coroutine.resume(co)
    local ok, e = coroutine.close(co)
    if not ok and e == "closed" then n = n + 1 end
end
return n
