-- expect: ok [[1, 2], {"a": 1}]
-- SPDX-License-Identifier: Apache-2.0
local function never() while true do end end
local mt = {__index = never, __len = never, __pairs = never, __tostring = never, __name = never,
            __metatable = never, __close = never, __eq = never}
return setmetatable({1, 2}, mt), setmetatable({a = 1}, mt)
