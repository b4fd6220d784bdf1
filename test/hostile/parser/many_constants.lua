-- expect: ok [20000]
-- SPDX-License-Identifier: Apache-2.0
local parts = {}
for i = 1, 20000 do parts[i] = ("'s%d'"):format(i) end
return #load("return {" .. table.concat(parts, ",") .. "}")()
