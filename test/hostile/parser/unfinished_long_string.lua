-- expect: ok [null, true]
-- SPDX-License-Identifier: Apache-2.0
local f, why = load("return [==[" .. ("]="):rep(200000))
return f, why:find("unfinished long string", 1, true) ~= nil
