-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
local select = select
while true do select("#", select(1, select(1, 1, 2, 3))) end
