-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
local t = setmetatable({}, {__tostring = function() while true do pcall(error) end end})
while true do
    pcall(tostring, t)
    violated = true
end
