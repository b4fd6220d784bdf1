-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
function step() return step end
local f = step
while true do f = f() end
