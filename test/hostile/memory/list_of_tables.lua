-- expect: limit memory
-- SPDX-License-Identifier: Apache-2.0
local head
while true do head = {head} end
