-- expect: ok [null, true]
-- SPDX-License-Identifier: Apache-2.0
local f, why = load("return '" .. ("x"):rep(500000))
return f, why:find("unfinished string", 1, true) ~= nil
