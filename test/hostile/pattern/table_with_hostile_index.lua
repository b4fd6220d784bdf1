-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
return ("x"):gsub("x", setmetatable({}, {__index = function() while true do end end}))
