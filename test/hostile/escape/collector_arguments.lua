-- expect: ok [true]
-- SPDX-License-Identifier: Apache-2.0
local extremes = {math.maxinteger, math.mininteger, 1 << 31, 1 << 32, -1, 0, 0x1p53, "7"}
for _, option in ipairs {"step", "collect", "count", "setpause", "setstepmul", "incremental",
                         "generational", "stop", "isrunning", "restart"} do
    for _, a in ipairs(extremes) do
        for _, b in ipairs(extremes) do collectgarbage(option, a, b, a) end
    end
end
return collectgarbage("count") > 0
