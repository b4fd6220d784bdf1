-- expect: ok [false, 100]
-- SPDX-License-Identifier: Apache-2.0
local n = 0
local function closer() n = n + 1 error(n, 0) end
local function nest(depth)
    if depth == 0 then return 0 end
    local x <close> = setmetatable({}, {__close = closer})
    return (nest(depth - 1))
end
return pcall(nest, 100)
