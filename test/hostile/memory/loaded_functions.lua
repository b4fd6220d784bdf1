-- expect: limit memory
-- SPDX-License-Identifier: Apache-2.0
local head
while true do head = {head, load("local a, b, c = ...; return function() return a + b + c end")} end
