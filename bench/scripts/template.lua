-- SPDX-License-Identifier: Apache-2.0
-- A template renderer: a template is compiled once to a list of closures and rendered with data.
--
--   {{ path.to.value | filter }}   the value, HTML-escaped     {{{ path }}}   the value as it is
--   {% for item in path %} ... {% else %} (when empty) ... {% end %}
--   {% if path %} ... {% else %} ... {% end %}                 {% if not path %} likewise

local escapes = {["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;"}

local function escape(text)
    return (text:gsub("[&<>\"']", escapes))
end

local filters = {
    upper = function(value) return value:upper() end,
    money = function(value) return string.format("%d.%02d", value // 100, value % 100) end,
    title = function(value)
        return (value:gsub("(%a)(%w*)", function(first, rest) return first:upper() .. rest end))
    end,
    initials = function(value)
        local letters = {}
        for letter in value:gmatch("%f[%a]%a") do letters[#letters + 1] = letter:upper() end
        return table.concat(letters)
    end,
}

local function lookup(scope, path)
    local value = scope
    for index = 1, #path do
        if type(value) ~= "table" then return nil end
        value = value[path[index]]
    end
    return value
end

local function parse_path(text)
    local path = {}
    for name in text:gmatch("[%w_]+") do path[#path + 1] = name end
    return path
end

local function truthy(value)
    return value and value ~= "" and not (type(value) == "table" and next(value) == nil)
end

local function render(nodes, scope, out)
    for index = 1, #nodes do nodes[index](scope, out) end
end

local function literal(text)
    return function(_, out) out[#out + 1] = text end
end

local function value_of(expression, raw)
    local path_text, filter_text = expression:match("^%s*([^|]-)%s*|%s*(%w+)%s*$")
    local path = parse_path(path_text or expression)
    local filter = filter_text and (filters[filter_text] or error("no filter " .. filter_text))
    return function(scope, out)
        local value = lookup(scope, path)
        if value == nil then return end
        if filter then value = filter(value) end
        value = tostring(value)
        out[#out + 1] = raw and value or escape(value)
    end
end

local function loop(name, path, body, otherwise)
    return function(scope, out)
        local items = lookup(scope, path)
        if not truthy(items) then return render(otherwise, scope, out) end
        local inner = setmetatable({}, {__index = scope})
        for index = 1, #items do
            inner[name] = items[index]
            inner.loop = {index = index, last = index == #items}
            render(body, inner, out)
        end
    end
end

local function condition(negated, path, body, otherwise)
    return function(scope, out)
        local holds = truthy(lookup(scope, path))
        if negated then holds = not holds end
        render(holds and body or otherwise, scope, out)
    end
end

-- A tag opens a block, turns to its other half, or closes it.
local function tag(text, open)
    local block = open[#open]
    local name, list = text:match("^%s*for%s+([%w_]+)%s+in%s+([%w_.]+)%s*$")
    local tested = text:match("^%s*if%s+([%w_.]+)%s*$")
    local untrue = text:match("^%s*if%s+not%s+([%w_.]+)%s*$")
    if name then
        open[#open + 1] = {nodes = {}, other = {}, close = function(body, other)
            return loop(name, parse_path(list), body, other)
        end}
    elseif tested or untrue then
        open[#open + 1] = {nodes = {}, other = {}, close = function(body, other)
            return condition(untrue ~= nil, parse_path(tested or untrue), body, other)
        end}
    elseif text:find("^%s*else%s*$") and block.close then
        block.body, block.nodes = block.nodes, block.other
    elseif text:find("^%s*end%s*$") and block.close then
        open[#open] = nil
        local parent = open[#open].nodes
        local body, other = block.body or block.nodes, block.body and block.nodes or {}
        parent[#parent + 1] = block.close(body, other)
    else
        error("tag not understood: " .. text)
    end
end

local function compile(source)
    local open = {{nodes = {}}}
    local position = 1
    while true do
        local start, _, kind = source:find("{([{%%])", position)
        local nodes = open[#open].nodes
        nodes[#nodes + 1] = literal(source:sub(position, (start or #source + 1) - 1))
        if not start then break end
        local stop, inner
        if kind == "%" then
            _, stop, inner = source:find("^{%%(.-)%%}\n?", start)
            tag(inner or error("unclosed tag"), open)
        else
            _, stop, inner = source:find("^{{{(.-)}}}", start)
            local raw = inner ~= nil
            if not raw then _, stop, inner = source:find("^{{(.-)}}", start) end
            nodes[#nodes + 1] = value_of(inner or error("unclosed value"), raw)
        end
        position = stop + 1
    end
    if #open > 1 then error("unclosed block") end
    return function(data)
        local out = {}
        render(open[1].nodes, data, out)
        return table.concat(out)
    end
end

local page = [[
<h1>{{ shop.name | title }}</h1>
{{{ shop.banner }}}
{% for order in orders %}
<section id="o{{ order.id }}"{% if order.late %} class="late"{% end %}>
  <h2>{{ loop.index }}. {{ order.customer }} ({{ order.customer | initials }})</h2>
{% if order.note %}
  <p>{{ order.note }}</p>
{% end %}
  <ul>
{% for line in order.lines %}
    <li>{{ line.count }} &times; {{ line.name | upper }}, {{ line.cents | money }}
{% if not loop.last %}
        and
{% end %}
    </li>
{% else %}
    <li>nothing</li>
{% end %}
  </ul>
</section>
{% else %}
<p>No orders.</p>
{% end %}
]]

local customers = {"ada <lovelace>", "grace hopper", "barbara & joan", "edsger \"ewd\" dijkstra"}
local goods = {"tea", "tea pot", "cups", "sugar & milk", "spoon"}

local function data(count)
    local orders = {}
    for id = 1, count do
        local lines = {}
        for line = 1, id % 4 do
            local name = goods[(id + line) % #goods + 1]
            lines[line] = {name = name, count = line, cents = id * 37 + line}
        end
        orders[id] = {id = id, customer = customers[id % #customers + 1], lines = lines,
                      late = id % 5 == 0, note = id % 3 == 0 and "it's <urgent> & late" or ""}
    end
    return {shop = {name = "the tea shop", banner = "<hr>"}, orders = orders}
end

local function checksum(text)
    local low, high = 1, 0
    for index = 1, #text do
        low = (low + text:byte(index)) % 65521
        high = (high + low) % 65521
    end
    return high << 16 | low
end

function main(count, rounds)
    local shop = data(count or 300)
    local text
    for _ = 1, rounds or 25 do
        text = compile(page)(shop)
    end
    local third = text:match('<section id="o3.-</section>')
    return {bytes = #text, checksum = checksum(text), third = third}
end
