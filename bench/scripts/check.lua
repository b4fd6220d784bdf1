-- SPDX-License-Identifier: Apache-2.0
-- Runs the scripts of this directory under stock Lua and compares with NAME.expected.json.
--
--   lua5.4 bench/scripts/check.lua [--time] [--record] [NAME...]
--
-- Each script sees only what the sandbox offers, so that one that reaches outside the allow-list
-- fails here too. --record writes what came out as the new expectation: read the diff before you
-- commit it. Exit status 1 when something differs.

local here = arg[0]:match("^(.*)/[^/]*$") or "."
local names = {"rate_limiter", "pricing", "template", "json", "nbody", "binary_trees",
               "string_build", "sort", "pattern"}

local function allowed()
    local env = {os = {time = os.time, clock = os.clock, date = os.date, difftime = os.difftime}}
    for _, name in ipairs({"assert", "error", "getmetatable", "ipairs", "load", "next", "pairs",
                           "pcall", "rawequal", "rawget", "rawlen", "rawset", "select",
                           "setmetatable", "tonumber", "tostring", "type", "xpcall", "_VERSION"}) do
        env[name] = _G[name]
    end
    for _, name in ipairs({"string", "table", "math", "utf8", "coroutine"}) do
        env[name] = {}
        for key, value in pairs(_G[name]) do env[name][key] = value end
    end
    env.string.dump = nil
    env._G = env
    return env
end

local function fresh(name)
    local env = allowed()
    assert(loadfile(here .. "/" .. name .. ".lua", "t", env))()
    return env
end

local json = fresh("json").json

local function read_cases(name)
    local file = assert(io.open(here .. "/" .. name .. ".expected.json", "rb"))
    local text = file:read("a")
    file:close()
    return json.decode(text).cases
end

local function write_cases(name, cases)
    local lines = {}
    for index, case in ipairs(cases) do lines[index] = "  " .. json.encode(case) end
    local file = assert(io.open(here .. "/" .. name .. ".expected.json", "wb"))
    assert(file:write('{"cases": [\n', table.concat(lines, ",\n"), "\n]}\n"))
    assert(file:close())
end

-- Returns the path of the first difference, or nothing. 1 and 1.0 differ.
local function difference(want, got, path)
    if want == json.null then want = nil end
    if type(want) ~= "table" or type(got) ~= "table" then
        local same = want == got and math.type(want) == math.type(got)
        return not same and string.format("%s: want %s, got %s", path, want, got) or nil
    end
    for key, value in pairs(want) do
        local found = difference(value, got[key], path .. "." .. key)
        if found then return found end
    end
    for key in pairs(got) do
        if want[key] == nil then return path .. "." .. key .. ": not expected" end
    end
end

local function arguments(case)
    local values = table.pack(table.unpack(case.args))
    for index = 1, values.n do
        if values[index] == json.null then values[index] = nil end
    end
    return table.unpack(values, 1, values.n)
end

local options, chosen = {}, {}
for _, word in ipairs(arg) do
    if word:sub(1, 2) == "--" then options[word] = true else chosen[#chosen + 1] = word end
end

local failed = 0
for _, name in ipairs(#chosen > 0 and chosen or names) do
    local cases = read_cases(name)
    for _, case in ipairs(cases) do
        local env = fresh(name)
        local started = os.clock()
        local got = {env.main(arguments(case))}
        local ms = (os.clock() - started) * 1000
        local found = not options["--record"] and difference(case.expected, got, "result")
        if found then failed = failed + 1 end
        io.write(found and "not ok " or "ok     ", name, " (", case.name, ")",
                 options["--time"] and string.format(" %.1f ms", ms) or "",
                 found and ": " .. found or "", "\n")
        case.expected = got
    end
    if options["--record"] then write_cases(name, cases) end
end
os.exit(failed == 0)
