-- expect: limit memory
-- SPDX-License-Identifier: Apache-2.0
local head
while true do head = {head, ("x"):rep(1000) .. tostring(head)} end
