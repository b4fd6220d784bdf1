-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
local environment = setmetatable({}, {__index = function() while true do end end})
load("return x", "c", "t", environment)()
