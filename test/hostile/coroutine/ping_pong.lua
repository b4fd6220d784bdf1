-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
local co = coroutine.wrap(function() while true do coroutine.yield() end end)
while true do co() end
