-- expect: ok []
-- SPDX-License-Identifier: Apache-2.0
-- Lua looks for __gc when the metatable is set, never later.
local mt = {}
for _ = 1, 1000 do setmetatable({}, mt) end
mt.__gc = function() violated = true end
collectgarbage()
collectgarbage()
