-- expect: limit memory
-- SPDX-License-Identifier: Apache-2.0
local piece = ("y"):rep(1000)
return ("x"):rep(1000000):gsub(".", function() return piece end)
