-- expect: ok [null, true]
-- SPDX-License-Identifier: Apache-2.0
local pieces = {"\27", "L", "ua", "\x54\0"}
local f, why = load(function() return table.remove(pieces, 1) end)
return f, why:find("attempt to load a binary chunk", 1, true) ~= nil
