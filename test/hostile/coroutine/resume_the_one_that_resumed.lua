-- expect: ok [false, "cannot resume non-suspended coroutine", "normal"]
-- SPDX-License-Identifier: Apache-2.0
local outer
outer = coroutine.create(function()
    local inner = coroutine.wrap(function()
        local ok, why = coroutine.resume(outer)
        return ok, why, coroutine.status(outer)
    end)
    return inner()
end)
return select(2, coroutine.resume(outer))
