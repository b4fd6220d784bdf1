-- expect: ok [false, false]
-- SPDX-License-Identifier: Apache-2.0
return (pcall(function() return (1):x() end)), (pcall(function() local n = 1 n.x = 1 end))
