-- expect: ok []
-- SPDX-License-Identifier: Apache-2.0
local mt = setmetatable({}, {__index = {__gc = function() violated = true end}})
setmetatable({}, mt)
collectgarbage()
collectgarbage()
