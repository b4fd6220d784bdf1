-- expect: lua "error object is a table value"
-- SPDX-License-Identifier: Apache-2.0
local t = {}
t.t = t
error(t)
