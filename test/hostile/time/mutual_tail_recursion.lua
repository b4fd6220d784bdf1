-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
local ping
local function pong(...) return ping(...) end
function ping(...) return pong(...) end
return ping(1, 2, 3)
