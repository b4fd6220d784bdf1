-- expect: ok [true]
-- SPDX-License-Identifier: Apache-2.0
local t = setmetatable({}, {__index = _G})
return t._G._G.string == string
