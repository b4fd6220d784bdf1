-- SPDX-License-Identifier: Apache-2.0
-- Script code that C functions call back, in every way that there is. Behind callback_noise.lua.

local function indexing(make)
    local proxy = setmetatable({own = "own"}, {__index = make})
    local chain = setmetatable({}, {__index = setmetatable({b = "B"}, {__index = proxy})})
    return pick(proxy, chain, chain)
end

local function gsubs()
    local text = pick("hello big world", "a", "", ("own b "):rep(draw(20)), "x=1, y=2")
    local pattern = pick("%w+", "%w", "(%w)(%w*)", "()", "^%w+", "[ox]", "%w+%f[%W]", "b?")
    local reply = draw(6)
    local function replace(...)
        noise()
        if reply == 1 then return nil end
        if reply == 2 then return false end
        if reply == 3 then return 12.5 end
        if reply == 4 and draw(9) == 1 then return {} end
        if reply == 5 then return ("<%s>"):rep(draw(30)):format((...)) end
        return (...)
    end
    case(string.gsub, text, pattern, replace, pick(nil, nil, 3))
    case(string.gsub, text, pattern, indexing(function(_, key) return replace(key) end))
    case(string.gsub, text, pattern, setmetatable({}, {__index = pick(rawget, rawlen, 5, "text")}))
    case(string.gsub, text, pattern, pick(string.upper, pause, coroutine.isyieldable, string.len))
    case(string.gsub, text, pattern, setmetatable({}, {__index = coroutine.yield}))
    case(string.gsub, text, pattern, coroutine.yield)
end

local function shuffled(n, make)
    local list = {}
    for i = 1, n do list[i] = make(i * 7919 % 10007) end
    return list
end

local function digest(list, n, of)
    local words = {}
    for i = 1, n do words[i] = tostring(of(list[i])) end
    return table.concat(words, " ")
end

local function itself(value) return value end

local function sorts()
    local n = pick(0, 1, 2, 3, 7, 8, 9, 17, 40, 100)
    local every, calls = draw(50), 0
    local function less(a, b)
        calls = calls + 1
        if calls % every == 0 then quietly(noise) end
        if calls % 3 == 0 then pause() end
        return a < b
    end
    local function tried(...)
        local ok, why = pcall(table.sort, ...)
        if not ok then say(why) end
        return ok
    end
    local list = shuffled(n, itself)
    if tried(list, less) then say(digest(list, n, itself)) end
    list = shuffled(n, itself)
    if tried(list, function(a, b) return less(b, a) end) then say(digest(list, n, itself)) end

    local meta = {__lt = function(a, b) return less(type(a) == "table" and a.key or a,
                                                    type(b) == "table" and b.key or b) end}
    local function key(value) return type(value) == "table" and value.key or value end
    local function keyed(value)
        return value % 3 == 0 and value or setmetatable({key = value}, meta)
    end
    list = shuffled(n, keyed)
    if tried(list) then say(digest(list, n, key)) end

    local held = shuffled(n, itself)
    local proxy = setmetatable({}, {
        __len = function() pause() quietly(noise) return n end,
        __index = function(_, i) pause() return held[i] end,
        __newindex = function(_, i, value) pause() held[i] = value end,
    })
    if tried(proxy, pick(less, nil)) then say(digest(held, n, itself)) end

    say(pcall(table.sort, {3, 1, 2, 5, 4}, function() pause() return true end))
    say(pcall(table.sort, setmetatable({}, {__len = function() pause() return "x" end})))
    say(pcall(table.sort, {3, 1, 2}, function() pause() error("comparing", 0) end))
    say(pcall(table.sort, {1, 2, "x"}, nil))
    say(pcall(table.sort, {1, {}, 2}))
    say(pcall(table.sort, {1, 2}, coroutine.yield))
    say(pcall(table.sort, setmetatable({}, {__len = coroutine.yield})))
    say(pcall(table.sort, setmetatable({}, {__len = function() return 2 end,
                                            __index = coroutine.yield})))
end

-- Large enough for partitions.
local function large_sorts()
    local n, calls = 1500 + draw(2000), 0
    local function less(a, b)
        calls = calls + 1
        if calls % 97 == 0 then pause() end
        return a < b
    end
    local list = shuffled(n, itself)
    table.sort(list, less)
    for i = 2, n do assert(list[i - 1] <= list[i]) end
    local held = shuffled(n, itself)
    local gets = 0
    table.sort(setmetatable({}, {
        __len = function() return n end,
        __index = function(_, i)
            gets = gets + 1
            if gets % 89 == 0 then pause() end
            return held[i]
        end,
        __newindex = function(_, i, value)
            gets = gets + 1
            if gets % 83 == 0 then pause() end
            held[i] = value
        end,
    }))
    for i = 2, n do assert(held[i - 1] <= held[i]) end
end

-- Between an error and its catcher a __close may run, where the coroutine may yield again.
local function closing()
    local co = coroutine.wrap(function()
        say(pcall(function()
            local outer <close> = setmetatable({}, {__close = function()
                say("outer", coroutine.isyieldable())
                coroutine.yield("outer")
                pause()
            end})
            string.gsub("a", "a", function()
                local inner <close> = setmetatable({}, {__close = function()
                    pause()
                    say("inner", coroutine.isyieldable(), pcall(coroutine.yield, "inner"))
                end})
                pause()
                error("closing", 0)
            end)
        end))
        say("after", coroutine.isyieldable())
        return coroutine.yield("last")
    end)
    for i = 1, 3 do say(co(i)) end
end

-- Its elements are what `held` has; every access is told.
local function watched(held, n)
    return setmetatable({}, {
        __len = function() noise() say("len") return n end,
        __index = function(_, i) noise() say("get", i) return held[i] end,
        __newindex = function(_, i, value) noise() say("set", i, value) held[i] = value end,
        __eq = function() noise() say("eq") return draw(2) == 1 end,
    })
end

local function tables()
    local n = draw(8)
    local function list() return shuffled(n, itself) end
    local function told(f, held, ...)
        say(f, pcall(table[f], ...))
        say(digest(held, n + 2, itself))
    end
    local held = list()
    told("insert", held, watched(held, n), draw(n + 2), "new")
    told("insert", held, watched(held, n), "new")
    told("insert", held, watched(held, pick("x", -1, math.maxinteger)), "new")
    told("insert", held, watched(held, n), 1, 2, 3)
    held = list()
    told("remove", held, watched(held, n), draw(n + 2))
    told("remove", held, watched(held, n))
    told("remove", held, watched(held, pick(0, -3, 2.5)))
    held = list()
    local other = list()
    told("move", held, watched(other, n), 1, n, draw(n), watched(held, n))
    told("move", held, watched(held, n), 1, n, draw(n))
    told("move", held, held, 1, n, draw(n), watched(held, n))
    told("move", held, watched(held, n), 2, n, draw(3), held)
    told("move", held, "text", 1, 2, 1, watched(held, n))
    told("concat", held, watched(held, n), pick(nil, ", ", 5))
    told("concat", held, watched({1, {}, 3}, 3))
    told("concat", held, watched(held, n), "-", draw(3), draw(5))
    told("unpack", held, watched(held, n))
    told("unpack", held, watched(held, n), draw(3), draw(4))
    told("unpack", held, "text")
    for _, f in ipairs({"insert", "remove", "concat", "unpack"}) do
        told(f, held, setmetatable({}, {__len = coroutine.yield}), 1)
        told(f, held, setmetatable({}, {__len = function() return 3 end, __index = coroutine.yield,
                                        __newindex = coroutine.yield}), 1)
    end
    for i, value in ipairs(watched(held, n)) do
        pause()
        say("each", i, value)
        if i > 12 then break end
    end
    say(pcall(function() for i in ipairs(setmetatable({}, {__index = coroutine.yield})) do end end))
    for i, value in ipairs(setmetatable({1}, {__index = {2, 2, 3}})) do say(i, value) end
end

local function texts()
    local reply = pick("text", 7, 2.5, "long ", {}, nil)
    local value = setmetatable({}, {__tostring = function()
        noise()
        return reply == "long " and reply:rep(100) or reply
    end})
    case(tostring, value)
    local function printed(...)
        local ok, why = pcall(print, ...)
        say(ok, ok or why:gsub("^%w+:%d+: ", ""))
    end
    printed(1, value, nil, value)
    case(string.format, "%s", value)
    case(string.format, "<%5s|%-9.3s|%d|%s>%%", value, value, draw(99), value)
    case(string.format, "%s %s %q " .. ("x"):rep(draw(400)) .. "%s", 1, value, "q", value, value)
    case(string.format, "%s %d", value, "x")
    case(string.format, "%s %s", value)
    case(tostring, setmetatable({}, {__tostring = coroutine.yield}))
    case(string.format, "%s", setmetatable({}, {__tostring = coroutine.yield}))
    printed(setmetatable({}, {__tostring = coroutine.yield}))
    local number = setmetatable({}, {__add = function(a, b)
        noise()
        say(type(a), type(b))
        return 5, 6
    end})
    say(pcall(function() return "x" + number end))
    say(pcall(function() return number + "x" end))
    say(pcall(function() return "10" + number end))
    say(pcall(function() return "x" - number end))
    say(pcall(function() return "x" + setmetatable({}, {__add = coroutine.yield}) end))
end

-- Pieces of sources, some of which are wrong, from functions that fail now and then.
local function loads()
    local source = pick("return 1, ...", "local a = 3e5 return a, 'x\\x41'", "x = = 1 return 2",
                        "return (", "local s = [==[ text ]==] return s -- comment", "", "1 2",
                        "goto no", "return '" .. ("long "):rep(draw(300)) .. "'", "return 3x",
                        "return 'a\\qb'", "return 1 return 2",
                        ("x = 1 "):rep(draw(99)) .. pick("return x", "= 3"))
    local size = pick(1, 2, 5, 100, 10000)
    local stray = pick(nil, nil, nil, "error", "table", "number", "empty", "yield")
    local at, calls, stop = 1, 0, draw(12)
    local function pieces(...)
        -- For a long source that is wrong more pieces may be asked for: that must not tell.
        if #source <= 250 then noise() else pause() end
        calls = calls + 1
        if calls == stop then
            if stray == "error" then error("reading", 0) end
            if stray == "table" then return {} end
            if stray == "number" then return 12 end
            if stray == "empty" then return "" end
            if stray == "yield" then coroutine.yield() end
        end
        local piece = source:sub(at, at + size - 1)
        at = at + size
        if piece ~= "" or calls % 2 == 1 then return piece, "more" end
    end
    local function loaded(call, ...)
        local f, why = call(...)
        say(type(f), why, #source <= 250 and calls)
        if type(f) == "function" then say(pcall(f, "argument")) end
    end
    loaded(load, pieces)
    at, calls = 1, 0
    loaded(load, pieces, "=named", "t", pick({}, {x = 1}))
    at, calls = 1, 0
    say(xpcall(loaded, function(m) return m end, load, pieces))
    at, calls = 1, 0
    say(select(2, xpcall(load, function(m) return "handled " .. tostring(m) end, pieces)))
    say(xpcall(pcall, function(m) return "handled " .. tostring(m) end, load,
               function() error("in pcall", 0) end))
    loaded(load, coroutine.yield)
    loaded(load, pause)
end

local function extremes()
    local meta = {__lt = function(a, b)
        noise()
        return (tonumber(a) or a.key) < (tonumber(b) or b.key)
    end}
    local list = shuffled(1 + draw(9), function(value)
        return value % 3 == 0 and value or setmetatable({key = value}, meta)
    end)
    for _, f in ipairs({math.max, math.min}) do
        local ok, found = pcall(f, table.unpack(list))
        say(ok, ok and type(found) == "table" and found.key or found)
    end
    say(pcall(math.max, "a", "c", "b"))
    say(pcall(math.min, setmetatable({}, {__lt = coroutine.yield}), 1))
    say(pcall(math.max, 1, {}))
end

local function dates()
    local held = {year = 2000 + draw(30), month = draw(30), day = draw(99), hour = pick(nil, 5),
                  min = pick(nil, 7.0, "8"), sec = pick(nil, nil, "x", 2 ^ 40),
                  isdst = pick(nil, false)}
    say(pcall(os.time, watched(held, 0)))
    local fields = {"year", "month", "day", "hour", "min", "sec", "yday", "wday", "isdst"}
    for _, field in ipairs(fields) do say(field, held[field]) end
    say(pcall(os.time, setmetatable({}, {__index = coroutine.yield})))
    say(pcall(os.time, held))
end

local function everything()
    for _, f in ipairs({gsubs, sorts, tables, texts, loads, extremes, dates, closing}) do say(pcall(f)) end
end

everything()
coroutine.wrap(everything)()
pcall(string.gsub, "x", "x", function() everything() end)
if seed % 4 == 0 then large_sorts() end
