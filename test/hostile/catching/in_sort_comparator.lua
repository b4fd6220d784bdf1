-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
pcall(table.sort, {3, 2, 1}, function() while true do pcall(error) end end)
violated = true
