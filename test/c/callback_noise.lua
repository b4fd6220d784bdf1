-- SPDX-License-Identifier: Apache-2.0
-- What the callbacks of callback_cases.lua do besides their work, with pauses in it: pause() ends the
-- slice in a box and does nothing in stock Lua. Behind the prelude of lua_differ.h, which makes the
-- lines to compare.

-- Stock Lua's print would write.
local print = pause and print or function(...)
    for i = 1, select("#", ...) do tostring((select(i, ...))) end
end
local pause = pause or function() end

local function say(...)
    local words = table.pack(...)
    for i = 1, words.n do
        local type = type(words[i])
        words[i] = (type == "table" or type == "function") and type or tostring(words[i])
    end
    lines[#lines + 1] = table.concat(words, " ")
end

-- Where a comparator is called differs from stock Lua: what it does must not be told, nor change
-- what is drawn later.
local function quietly(f)
    local told, seed_was = lines, seed
    lines = {}
    pcall(f)
    lines, seed = told, seed_was
end

local function tower(levels)
    if levels == 0 then
        pause()
        return coroutine.isyieldable()
    end
    local co = coroutine.wrap(function(...)
        local inner = tower(levels - 1)
        pause()
        say("yielded", coroutine.yield(inner))
        pause()
        return coroutine.isyieldable(), inner
    end)
    say("tower", co())
    pause()
    return co(levels)
end

local noise

-- Each must not matter to whoever called back.
local noises = {
    function() pause() end,
    function() pause() pause() collectgarbage("step") end,
    function() say("tower", tower(draw(4))) end,
    function() say("yield", pcall(coroutine.yield, 1), coroutine.isyieldable()) end,
    function() say("caught", pcall(error, "caught", 0)) end,
    function()
        say("from gsub", pcall(string.gsub, "ab", "%w", function(c) noise() error(c, 0) end))
        say("yieldable", coroutine.isyieldable())
    end,
    function()
        say("from sort", pcall(table.sort, {3, 1, 2}, function() pause() error("sorting", 0) end))
        say("yieldable", coroutine.isyieldable())
    end,
    function()
        say("in wrap", pcall(coroutine.wrap(function()
            pause()
            string.gsub("x", "x", function() pause() error("wrapped", 0) end)
        end)))
    end,
    function()
        local co = coroutine.create(function()
            say(pcall(string.gsub, "x", "x", function() pause() error("resumed", 0) end))
            coroutine.yield(coroutine.isyieldable())
            string.gsub("x", "x", function() pause() error("again", 0) end)
        end)
        say(coroutine.resume(co))
        say(coroutine.resume(co))
        say(coroutine.status(co), coroutine.isyieldable(co))
        say(coroutine.close(co))
    end,
    function()
        local list = {5, 3, 1, 4, 2}
        table.sort(list, function(a, b) quietly(noise) return a < b end)
        say(table.concat(list, " "))
    end,
    function() say((("abc"):gsub("%w", function(c) noise() return c .. c end))) end,
    function()
        say("handled", xpcall(string.gsub, function(m) return "<" .. tostring(m) .. ">" end, "x",
                              "x", function() pause() error("handled", 0) end))
    end,
    function() for _, v in ipairs({1, 2}) do pause() say(v) end end,
}

local depth = 0
function noise()
    depth = depth + 1
    local kind = noises[depth < 4 and draw(#noises) or draw(2)]
    local ok, why = pcall(kind)
    depth = depth - 1
    if not ok then error(why, 0) end
    if draw(40) == 1 then error("noise", 0) end
end
