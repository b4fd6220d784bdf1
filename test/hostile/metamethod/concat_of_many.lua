-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
local t = setmetatable({}, {__concat = function(a) while true do end end})
return t .. t .. t .. t
