-- expect: ok [false, "cannot close a normal coroutine"]
-- SPDX-License-Identifier: Apache-2.0
local outer
outer = coroutine.create(function()
    return coroutine.wrap(function() return pcall(coroutine.close, outer) end)()
end)
return select(2, coroutine.resume(outer))
