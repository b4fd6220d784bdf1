-- expect: ok ["close", "end"]
-- SPDX-License-Identifier: Apache-2.0
local co = coroutine.wrap(function()
    do local x <close> = setmetatable({}, {__close = function() coroutine.yield("close") end}) end
    return "end"
end)
return co(), co()
