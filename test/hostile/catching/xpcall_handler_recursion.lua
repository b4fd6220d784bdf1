-- expect: limit depth | ok [false]
-- SPDX-License-Identifier: Apache-2.0
-- Stock Lua gives up after some nested handlers; the sandbox may, too.
local function handler(e) return xpcall(error, handler, e) end
local ok = xpcall(error, handler, "x")
return ok
