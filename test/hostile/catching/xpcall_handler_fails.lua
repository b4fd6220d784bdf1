-- expect: ok [false]
-- SPDX-License-Identifier: Apache-2.0
local ok = xpcall(error, function() error("again") end)
return ok
