-- expect: ok [true]
-- SPDX-License-Identifier: Apache-2.0
local messages = {}
for _, f in ipairs {table.concat, string.rep, math.abs, coroutine.resume, setmetatable} do
    local _, e = pcall(f, setmetatable({}, {}), print)
    if type(e) == "string" then messages[#messages + 1] = e end
    _, e = pcall(f, print, {})
    if type(e) == "string" then messages[#messages + 1] = e end
end
return not table.concat(messages):find("0x%x%x%x%x%x%x%x%x%x")
