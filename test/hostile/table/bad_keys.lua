-- expect: ok [false, false, null, null]
-- SPDX-License-Identifier: Apache-2.0
local t = {}
return (pcall(function() t[nil] = 1 end)), (pcall(function() t[0 / 0] = 1 end)), t[nil], t[0 / 0]
