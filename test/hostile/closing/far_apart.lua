-- expect: ok ["321", 200000]
-- options: memory_bytes=67108864
-- SPDX-License-Identifier: Apache-2.0
-- The list of variables to be closed counts the slots in between with 16 bits.
local log, many = "", table.pack(("x"):rep(200000):byte(1, -1))
local function closes(name)
    return setmetatable({}, {__close = function() log = log .. name end})
end
local function inner(...)
    local c <close> = closes(3)
    return select("#", ...)
end
local function outer(...)
    local b <close> = closes(2)
    local n = inner(...)
    return n
end
local n
do
    local a <close> = closes(1)
    n = outer(table.unpack(many))
end
return log, n
