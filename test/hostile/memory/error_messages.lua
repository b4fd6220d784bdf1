-- expect: limit memory
-- SPDX-License-Identifier: Apache-2.0
local head, name = nil, ("n"):rep(100000)
while true do
    local _, e = pcall(error, name .. tostring(head))
    head = {head, e}
end
