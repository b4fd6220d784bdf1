-- expect: ok [true]
-- SPDX-License-Identifier: Apache-2.0
local n = 0
for _, name in ipairs {"string", "table", "math", "utf8", "os", "coroutine"} do
    local library = _G[name]
    local key = pairs(library)(library)
    n = n + (pcall(function() library[key] = 1 end) and 1 or 0)
    n = n + (pcall(function() library.new = 1 end) and 1 or 0)
    n = n + (pcall(function() library[1] = 1 end) and 1 or 0)
    n = n + (pcall(rawset, library, "new", 1) and 1 or 0)
    n = n + (pcall(setmetatable, library, {}) and 1 or 0)
    n = n + (pcall(table.insert, library, 1) and 1 or 0)
    n = n + (pcall(table.move, {1}, 1, 1, 1, library) and 1 or 0)
end
return n > 0
