-- expect: ok [false, "close", "body"]
-- SPDX-License-Identifier: Apache-2.0
local seen
local ok, e = pcall(function()
    local x <close> = setmetatable({}, {__close = function(_, e) seen = e error("close", 0) end})
    error("body", 0)
end)
return ok, e, seen
