-- expect: limit memory
-- SPDX-License-Identifier: Apache-2.0
local head, i = nil, 0
while true do
    i = i + 1
    head = {head, ("x"):rep(100000 + i)}
end
