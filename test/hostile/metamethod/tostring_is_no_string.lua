-- expect: lua "'__tostring' must return a string"
-- SPDX-License-Identifier: Apache-2.0
return tostring(setmetatable({}, {__tostring = function() return {} end}))
