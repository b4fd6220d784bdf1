-- SPDX-License-Identifier: Apache-2.0
-- Makes up patterns and subjects, and writes down what the string library says of them, one line a
-- case: for tests that compare the sandbox with the stock library. `seed` and `count` are locals
-- that the test puts before this text, on its first line. A global `poise`, if there is one, is
-- called before each operation.

local function random(n)
    seed = (seed * 1103515245 + 12345) & 0x7fffffff
    return (seed >> 8) % n + 1
end

local function pick(list) return list[random(#list)] end

local atoms = {"a", "b", "ab", ".", "%a", "%d", "%s", "%W", "%u", "%p", "%x", "%z", "%c", "%g",
    "%l", "%S", "[ab]", "[^a]", "[%w_]", "[a-c]", "[]a]", "[^]]", "[a-]", "[%]]", "[a-%%]", "[%z]",
    "[\200-\255]", "[^%s%d]", "[%a-z]", "[c-a]", "%b()", "%bab", "%baa", "%f[%w]", "%f[^a]", "%1",
    "%2", "%0", "%9", "(", ")", "(", ")", "(a", ".)", "()", "(.-)", "(%w+)", ".*", ".-", "^", "$",
    "%", "[", "[^%", "[a", "%f", "%b", "-", "*", "\0", "%%", "\255"}
local suffixes = {"", "", "", "*", "+", "-", "?"}
local letters = {"a", "a", "a", "b", "b", "0", " ", "(", ")", "_", "A", "\0", "\255", "]", "-",
    "%", "\t", "z"}
local templates = {"", "x", "%0", "<%1>", "%1%1", "%2", "%%", "%", "%x", "%9", 12, "%0%0%1", 1.5}

local function subject()
    local text = ""
    for _ = 1, random(13) - 1 do text = text .. pick(letters) end
    return text
end

local function pattern()
    local text = random(8) == 1 and "^" or ""
    for _ = 1, random(6) do text = text .. pick(atoms) .. pick(suffixes) end
    return random(12) == 1 and text .. "$" or text
end

local function show(...)
    local out = {}
    for index = 1, select("#", ...) do
        local value = (select(index, ...))
        out[index] = type(value) .. ":" .. tostring(value)
    end
    return table.concat(out, "|")
end

local function answer(kind, ...)
    if kind == 1 then return {} end
    if kind == 2 then return false end
    if kind == 3 then return nil end
    if kind == 4 then return select("#", ...) end
    if kind == 5 then return 0.5 end
    return "<" .. show(...) .. ">"
end

local keys = {a = "A", b = false, ab = 7, [1] = "<", [""] = "-", aa = {}}
local lazy = setmetatable({}, {__index = function(_, key)
    if key == "b" then return false end
    if key == "0" then return true end
    return "{" .. key .. "}"
end})

local operations = {
    function(s, p) return show(s:find(p)) end,
    function(s, p) return show(s:match(p)) end,
    function(s, p, n) return show(s:find(p, n)) end,
    function(s, p, n) return show(s:find(p, n, true)) end,
    function(s, p, n) return show(s:match(p, n)) end,
    function(s, p, n)
        local out = {}
        for a, b, c in s:gmatch(p, random(3) == 1 and n or nil) do
            out[#out + 1] = show(a, b, c)
        end
        return table.concat(out, "&")
    end,
    function(s, p) return show(s:gsub(p, pick(templates))) end,
    function(s, p, n) return show(s:gsub(p, pick(templates), n)) end,
    function(s, p) return show(s:gsub(p, keys)) end,
    function(s, p) return show(s:gsub(p, lazy)) end,
    function(s, p)
        local kind = random(12)
        return show(s:gsub(p, function(...) return answer(kind, ...) end))
    end,
}

local lines = {}
for case = 1, count do
    local s, p, n = subject(), pattern(), random(20) - 8
    local operation = pick(operations)
    if poise then poise(case) end
    lines[case] = show(s, p, n) .. "  =>  " .. show(pcall(operation, s, p, n))
end
return table.concat(lines, "\n")
