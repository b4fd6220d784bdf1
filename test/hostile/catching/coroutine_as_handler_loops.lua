-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
while true do
    xpcall(error, coroutine.wrap(function() while true do pcall(error) end end), "x")
    violated = true
end
