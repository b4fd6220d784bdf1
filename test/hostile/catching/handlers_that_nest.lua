-- expect: ok ["h12h11h10h9h8h7h6h5h4h3h2h1end", false]
-- SPDX-License-Identifier: Apache-2.0
-- Each handler calls xpcall and has not failed; those of the last one fail for ever.
local function nest(n)
    if n == 0 then return "end" end
    return (select(2, xpcall(error, function(e) return e .. nest(n - 1) end, "h" .. n)))
end
return nest(12), (xpcall(error, function() nest(12) error("again") end))
