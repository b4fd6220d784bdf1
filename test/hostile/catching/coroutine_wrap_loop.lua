-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
while true do
    pcall(coroutine.wrap(function() while true do end end))
    violated = true
end
