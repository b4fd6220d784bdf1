-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
xpcall(error, function() while true do end end)
violated = true
