-- expect: ok [3]
-- SPDX-License-Identifier: Apache-2.0
local source = {"return ", "1 ", "+ ", "2"}
local f = load(function()
    collectgarbage()
    return table.remove(source, 1)
end)
return f()
