-- SPDX-License-Identifier: Apache-2.0
-- Lua patterns at work: a tokeniser for a small language (string.find), and access logs taken
-- apart and summed up (string.match, gmatch, gsub).

local keywords = {}
local reserved = "if then else end while do local function return and or not true false nil"
for word in reserved:gmatch("%a+") do
    keywords[word] = true
end

-- Tried in order at each position; the first that matches makes the token.
local rules = {
    {"space", "^[ \t\r\n]+"},
    {"comment", "^%-%-[^\n]*"},
    {"name", "^[%a_][%w_]*"},
    {"number", "^0[xX]%x+"},
    {"number", "^%d+%.?%d*[eE][+-]?%d+"},
    {"number", "^%d+%.?%d*"},
    {"string", '^"[^"\n]*"'},
    {"string", "^%b[]"},
    {"operator", "^[=~<>]="},
    {"operator", "^%.%.%.?"},
    {"operator", "^[%+%-%*/%%#<>=%(%){};:,%.]"},
}

local function tokens(source)
    local list, position = {}, 1
    while position <= #source do
        local kind, start, stop
        for _, rule in ipairs(rules) do
            start, stop = source:find(rule[2], position)
            if start then
                kind = rule[1]
                break
            end
        end
        if not kind then error("no token at " .. position) end
        local text = source:sub(start, stop)
        if kind == "name" and keywords[text] then kind = "keyword" end
        if kind ~= "space" and kind ~= "comment" then
            list[#list + 1] = {kind = kind, text = text}
        end
        position = stop + 1
    end
    return list
end

local snippet = [==[
-- counts words
local function count(text, least)
    local seen = {}
    for_each(text, function(word) -- a name that starts like a keyword
        if #word >= least and not seen[word] then seen[word] = 0x1F + 2.5e-3 end
        total = total .. "x"
    end)
    while least ~= 0 do least = least - 1 end
    return seen, [nested [brackets] here]
end
]==]

local function log_lines(count)
    local methods = {"GET", "POST", "GET", "DELETE"}
    local agents = {"curl/7.88", "Mozilla/5.0 (X11)", "bot/1"}
    local form = '10.0.%d.%d - - [%02d/Nov/2023:13:%02d:%02d +0000] '
        .. '"%s /v1/items/%d?page=%d&q=%%41b+c HTTP/1.1" %d %d "%s"'
    local lines = {}
    for id = 1, count do
        local status = id % 11 == 0 and 500 or id % 6 == 0 and 404 or 200
        lines[id] = form:format(id % 7, id % 251, id % 28 + 1, id % 60, id * 7 % 60,
                                methods[id % 4 + 1], id % 90, id % 5, status, id * 31 % 9000,
                                agents[id % 3 + 1])
    end
    return table.concat(lines, "\n")
end

local line_pattern = '^(%d+%.%d+%.%d+%.%d+) %S+ %S+ %[([^%]]+)%] '
    .. '"(%u+) (%S+) HTTP/[%d.]+" (%d%d%d) (%d+) "(.-)"$'

local function decode_query(text)
    local query = {}
    for name, value in text:gmatch("([^&=?]+)=([^&]*)") do
        query[name] = value:gsub("+", " "):gsub("%%(%x%x)", function(hex)
            return string.char(tonumber(hex, 16))
        end)
    end
    return query
end

local function sum_up(log)
    local sum = {lines = 0, bytes = 0, errors = 0, bots = 0, pages = 0, latest = ""}
    local paths = {}
    for line in log:gmatch("[^\n]+") do
        local _, when, method, target, status, bytes, agent = line:match(line_pattern)
        if not when then error("line not understood: " .. line) end
        local path, query = target:match("^([^?]*)%??(.*)$")
        local shape = method .. " " .. path:gsub("/%d+%f[/%z]", "/:id")
        paths[shape] = (paths[shape] or 0) + 1
        sum.lines = sum.lines + 1
        sum.bytes = sum.bytes + tonumber(bytes)
        if status:find("^[45]") then sum.errors = sum.errors + 1 end
        if agent:lower():find("bot", 1, true) then sum.bots = sum.bots + 1 end
        local decoded = decode_query(query)
        if decoded.q ~= "Ab c" then error("query not understood: " .. query) end
        sum.pages = sum.pages + tonumber(decoded.page)
        if when > sum.latest then sum.latest = when end
    end
    sum.paths = paths
    return sum
end

function main(lines)
    lines = lines or 6000
    local kinds = {}
    for _ = 1, lines // 25 do
        for _, token in ipairs(tokens(snippet)) do
            kinds[token.kind] = (kinds[token.kind] or 0) + 1
        end
    end
    return {log = sum_up(log_lines(lines)), tokens = kinds}
end
