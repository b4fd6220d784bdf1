-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
local mt = {__eq = function() while true do end end}
while true do
    pcall(table.move, setmetatable({}, mt), 1, 3, 2, setmetatable({}, mt))
    violated = true
end
