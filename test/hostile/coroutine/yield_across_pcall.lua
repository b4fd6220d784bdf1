-- expect: ok ["a", "b", "caught"]
-- SPDX-License-Identifier: Apache-2.0
local co = coroutine.wrap(function()
    local _, e = pcall(function() coroutine.yield("a") error("caught", 0) end)
    coroutine.yield("b")
    return e
end)
return co(), co(), co()
