-- expect: ok [true, true]
-- SPDX-License-Identifier: Apache-2.0
local function locals(n)
    local names = {}
    for i = 1, n do names[i] = "a" .. i end
    return "local " .. table.concat(names, ",")
end
return load(locals(200)) ~= nil, load(locals(201)) == nil
