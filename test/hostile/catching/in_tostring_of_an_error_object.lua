-- expect: lua "error object is a table value"
-- SPDX-License-Identifier: Apache-2.0
-- Nobody calls __tostring to report an error.
error(setmetatable({}, {__tostring = function() while true do end end}))
