-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
while true do
    coroutine.resume(coroutine.create(function() while true do end end))
    violated = true
end
