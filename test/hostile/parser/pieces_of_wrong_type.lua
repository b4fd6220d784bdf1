-- expect: ok [null, true]
-- SPDX-License-Identifier: Apache-2.0
local f, why = load(function() return {} end)
return f, why:find("reader function must return a string", 1, true) ~= nil
