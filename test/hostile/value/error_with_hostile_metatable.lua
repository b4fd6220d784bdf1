-- expect: lua "error object is a table value"
-- SPDX-License-Identifier: Apache-2.0
local function never() while true do end end
error(setmetatable({}, {__tostring = never, __index = never, __name = never, __len = never}))
