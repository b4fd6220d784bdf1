-- expect: ok [false, "deep", 10000]
-- SPDX-License-Identifier: Apache-2.0
local n = 0
local closer = setmetatable({}, {__close = function() n = n + 1 end})
local function nest(depth)
    if depth == 0 then error("deep", 0) end
    local x <close> = closer
    return (nest(depth - 1))
end
local ok, e = pcall(nest, 10000)
return ok, e, n
