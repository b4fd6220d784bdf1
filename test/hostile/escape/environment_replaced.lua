-- expect: ok [1, true]
-- SPDX-License-Identifier: Apache-2.0
local string = string
local _ENV = {x = 1}
return x, string ~= nil
