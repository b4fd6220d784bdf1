-- expect: ok []
-- after: reset
-- SPDX-License-Identifier: Apache-2.0
-- The service looks nothing up through metamethods and calls no global.
local setmetatable = setmetatable
local function never() violated = true while true do end end
for _, name in ipairs {"pcall", "error", "tostring", "load", "print", "type", "setmetatable"} do
    _G[name] = never
end
setmetatable(_G, {__index = never, __newindex = never, __pairs = never, __call = never})
