-- expect: lua "boom"
-- SPDX-License-Identifier: Apache-2.0
local it = ("abc"):gmatch("()")
it();
("abc"):gsub(".", function() error("boom") end)
