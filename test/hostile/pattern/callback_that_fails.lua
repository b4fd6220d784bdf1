-- expect: lua "boom"
-- SPDX-License-Identifier: Apache-2.0
return ("aaa"):gsub("a", function() error("boom") end)
