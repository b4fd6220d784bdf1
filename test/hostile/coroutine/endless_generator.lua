-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
for _ in coroutine.wrap(function() while true do coroutine.yield(1) end end) do end
