-- expect: ok ["table", false]
-- SPDX-License-Identifier: Apache-2.0
-- The methods are those of the library, and cannot be replaced through a string.
local s = "x"
return type(string), (pcall(function() s.rep = print end))
