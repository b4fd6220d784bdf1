-- expect: limit memory | down memory
-- SPDX-License-Identifier: Apache-2.0
-- The VM doubles its table of short strings by one request.
local head, i = nil, 0
while true do
    i = i + 1
    head = {head, "k" .. i}
end
