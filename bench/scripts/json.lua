-- SPDX-License-Identifier: Apache-2.0
-- A JSON encoder and decoder, and a round trip through both. The global `json` can be used alone:
-- json.encode(value), json.decode(text), json.null.

json = {null = setmetatable({}, {__name = "json.null"})}

local short = {['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f", ["\n"] = "\\n",
               ["\r"] = "\\r", ["\t"] = "\\t"}

-- What cannot stand in a JSON string as it is.
local special = '[\0-\31"\\]'

local function escape(character)
    return short[character] or string.format("\\u%04x", character:byte())
end

local function encode_number(value)
    if math.type(value) == "integer" then return string.format("%d", value) end
    if value ~= value or value - value ~= 0 then error("not a JSON number") end
    local text = string.format("%.15g", value)
    if tonumber(text) ~= value then text = string.format("%.17g", value) end
    return text:find("[.e]") and text or text .. ".0"
end

local encode_value

local function encode_table(value, out)
    if value == json.null then
        out[#out + 1] = "null"
    elseif #value > 0 or next(value) == nil then
        out[#out + 1] = "["
        for index = 1, #value do
            if index > 1 then out[#out + 1] = "," end
            encode_value(value[index], out)
        end
        out[#out + 1] = "]"
    else
        local keys = {}
        for key in pairs(value) do keys[#keys + 1] = key end
        table.sort(keys)
        for index, key in ipairs(keys) do
            out[#out + 1] = index == 1 and "{" or ","
            encode_value(key, out)
            out[#out + 1] = ":"
            encode_value(value[key], out)
        end
        out[#out + 1] = "}"
    end
end

local encoders = {
    string = function(value, out) out[#out + 1] = '"' .. value:gsub(special, escape) .. '"' end,
    number = function(value, out) out[#out + 1] = encode_number(value) end,
    boolean = function(value, out) out[#out + 1] = tostring(value) end,
    table = encode_table,
}

function encode_value(value, out)
    local encoder = encoders[type(value)] or error("no JSON for a " .. type(value))
    encoder(value, out)
end

function json.encode(value)
    local out = {}
    encode_value(value, out)
    return table.concat(out)
end

local function fail(position, what)
    error(string.format("JSON: %s at byte %d", what, position), 0)
end

local function skip(text, position)
    return text:find("[^ \t\r\n]", position) or #text + 1
end

local plain = {['"'] = '"', ["\\"] = "\\", ["/"] = "/", b = "\b", f = "\f", n = "\n", r = "\r",
               t = "\t"}

-- `position` is that of the character after \u.
local function decode_unicode(text, position)
    local unit = tonumber(text:match("^%x%x%x%x", position) or fail(position, "bad \\u"), 16)
    if unit < 0xD800 or unit > 0xDFFF then return utf8.char(unit), position + 4 end
    local low = tonumber(text:match("^\\u(%x%x%x%x)", position + 4) or "", 16)
    if unit > 0xDBFF or not low or low < 0xDC00 or low > 0xDFFF then
        fail(position, "lone surrogate")
    end
    return utf8.char(0x10000 + (unit - 0xD800 << 10) + (low - 0xDC00)), position + 10
end

local function decode_string(text, position)
    local parts = {}
    while true do
        local stop = text:find(special, position) or fail(position, "unfinished string")
        parts[#parts + 1] = text:sub(position, stop - 1)
        local found = text:sub(stop, stop)
        if found == '"' then return table.concat(parts), stop + 1 end
        if found ~= "\\" then fail(stop, "control character") end
        local letter = text:sub(stop + 1, stop + 1)
        if letter == "u" then
            parts[#parts + 1], position = decode_unicode(text, stop + 2)
        else
            parts[#parts + 1] = plain[letter] or fail(stop, "unknown escape")
            position = stop + 2
        end
    end
end

local decode_value

local function decode_array(text, position)
    local array = {}
    position = skip(text, position)
    if text:sub(position, position) == "]" then return array, position + 1 end
    while true do
        array[#array + 1], position = decode_value(text, position)
        position = skip(text, position)
        local mark = text:sub(position, position)
        if mark == "]" then return array, position + 1 end
        if mark ~= "," then fail(position, "expected , or ]") end
        position = skip(text, position + 1)
    end
end

local function decode_object(text, position)
    local object = {}
    position = skip(text, position)
    if text:sub(position, position) == "}" then return object, position + 1 end
    while true do
        if text:sub(position, position) ~= '"' then fail(position, "expected a name") end
        local name
        name, position = decode_string(text, position + 1)
        position = skip(text, position)
        if text:sub(position, position) ~= ":" then fail(position, "expected :") end
        object[name], position = decode_value(text, skip(text, position + 1))
        position = skip(text, position)
        local mark = text:sub(position, position)
        if mark == "}" then return object, position + 1 end
        if mark ~= "," then fail(position, "expected , or }") end
        position = skip(text, position + 1)
    end
end

local words = {["true"] = true, ["false"] = false, null = json.null}

function decode_value(text, position)
    local first = text:sub(position, position)
    if first == '"' then return decode_string(text, position + 1) end
    if first == "{" then return decode_object(text, position + 1) end
    if first == "[" then return decode_array(text, position + 1) end
    local word = text:match("^%a+", position)
    if word and words[word] ~= nil then return words[word], position + #word end
    local number = text:match("^-?%d+%.?%d*[eE]?[+-]?%d*", position)
    local value = number and tonumber(number) or fail(position, "expected a value")
    return value, position + #number
end

function json.decode(text)
    local value, position = decode_value(text, skip(text, 1))
    if skip(text, position) <= #text then fail(position, "text after the value") end
    return value
end

local function document(count)
    local people = {}
    for id = 1, count do
        people[id] = {
            id = id * 7919,
            name = "person " .. id .. (id % 7 == 0 and ' "the\\seventh"\n' or ""),
            city = id % 3 == 0 and "M\u{fc}nchen" or "\u{6771}\u{4eac}\u{1f5fc}",
            balance = (id * 104729 % 1000003) / 128,
            active = id % 2 == 0,
            manager = id > 1 and id // 2 or json.null,
            tags = id % 4 == 0 and {} or {"a" .. id % 10, "b\t" .. id % 100},
            position = {lat = id / 3, lon = -id / 7},
        }
    end
    return {version = 1, people = people}
end

-- Encodes a document, decodes the text and encodes the result again, `rounds` times.
function main(count, rounds)
    local made = document(count or 200)
    local text, again
    for _ = 1, rounds or 10 do
        text = json.encode(made)
        again = json.encode(json.decode(text))
        if again ~= text then error("the round trip changed the document") end
    end
    local escaped = json.decode('"\\u00e9\\ud83d\\ude00\\/\\n"')
    local ok, problem = pcall(json.decode, '{"a": [1, 2,, 3]}')
    return {bytes = #text, last = text:sub(-60), escaped = escaped, problem = not ok and problem}
end
