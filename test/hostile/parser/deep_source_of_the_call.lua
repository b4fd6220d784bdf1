-- expect: limit depth | lua "overflow" | lua "too many C levels"
-- SPDX-License-Identifier: Apache-2.0
-- The host compiles this one; what it meets is the parser's own limit on nesting.
-- then: eval
return "return " .. ("("):rep(10000) .. "1" .. (")"):rep(10000)
