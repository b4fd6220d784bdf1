-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
-- The coroutine that was stopped is kept in a global and must not go on in a later call.
hoard = coroutine.create(function()
    while true do end
    violated = true
end)
coroutine.resume(hoard)
