-- expect: ok [true]
-- SPDX-License-Identifier: Apache-2.0
local w = setmetatable({}, {__mode = "kv"})
for i = 1, 20000 do w[i] = {} w[{}] = i end
collectgarbage()
return next(w) == nil
