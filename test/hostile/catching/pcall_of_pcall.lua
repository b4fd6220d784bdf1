-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
pcall(pcall, pcall, pcall, function() while true do end end)
violated = true
