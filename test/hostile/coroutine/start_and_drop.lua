-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
while true do coroutine.wrap(function() coroutine.yield() end)() end
