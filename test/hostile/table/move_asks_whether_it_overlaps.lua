-- expect: ok ["3>4 2>3 1>2 ", "1>2 2>3 3>4 ", "1>2 2>3 3>4 "]
-- SPDX-License-Identifier: Apache-2.0
-- Which way the elements are moved depends on whether both tables are one, and __eq is asked.
local function moved(equal)
    local log, last = "", nil
    local mt = {__index = function(_, key) last = key return key end,
                __newindex = function(_, key) log = log .. last .. ">" .. key .. " " end,
                __eq = equal}
    table.move(setmetatable({}, mt), 1, 3, 2, setmetatable({}, mt))
    return log
end
return moved(function() return 1 end), moved(function() return nil end), moved(nil)
