-- SPDX-License-Identifier: Apache-2.0
-- Building text in the usual ways: table.concat, repeated .., string.format, rep, reverse, gsub.

local function csv(rows)
    local out = {"id,name,price,when"}
    for row = 1, rows do
        local name = "item " .. row % 97
        if row % 5 == 0 then name = '"' .. name .. ', ""special"""' end
        local when = os.date("!%Y-%m-%dT%H:%M:%SZ", 1700000000 + row * 3607)
        out[#out + 1] = string.format("%05d,%s,%.2f,%s", row, name, row * 1.25, when)
    end
    return table.concat(out, "\n")
end

-- Grows one string piece by piece, as scripts do that do not know better.
local function growing(pieces)
    local text = ""
    for piece = 1, pieces do
        text = text .. piece % 10
        if piece % 50 == 0 then text = text .. "\n" end
    end
    return text
end

local function hex_dump(text)
    local lines = {}
    for offset = 1, #text, 16 do
        local part = text:sub(offset, offset + 15)
        local hex = part:gsub(".", function(byte) return string.format("%02x ", byte:byte()) end)
        local shown = part:gsub("[^%g ]", ".")
        lines[#lines + 1] = string.format("%08x  %-48s |%s|", offset - 1, hex, shown)
    end
    return table.concat(lines, "\n")
end

local function boxed(title, width)
    local edge = "+" .. ("-"):rep(width - 2) .. "+"
    local left = (width - 2 - #title) // 2
    local row = "|" .. (" "):rep(left) .. title .. (" "):rep(width - 2 - left - #title) .. "|"
    return edge .. "\n" .. row .. "\n" .. edge
end

local function letters(count)
    local out = {}
    for index = 1, count do
        out[index] = utf8.char(0x3b1 + index % 24)
    end
    return table.concat(out)
end

local function checksum(text)
    local sum = 5381
    for index = 1, #text do
        sum = (sum * 33 ~ text:byte(index)) & 0xffffffff
    end
    return sum
end

function main(rows)
    rows = rows or 9000
    local parts = {boxed("report", 40), csv(rows), growing(rows), hex_dump(letters(rows)),
                   ("ab"):rep(rows):reverse(), letters(rows)}
    local text = table.concat(parts, "\n\n")
    return {bytes = #text, characters = utf8.len(text), checksum = checksum(text),
            head = text:sub(1, 300)}
end
