-- expect: lua "__gc"
-- SPDX-License-Identifier: Apache-2.0
setmetatable({}, {__gc = function() violated = true end})
