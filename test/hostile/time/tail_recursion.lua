-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
local function forever(n) return forever(n + 1) end
return forever(0)
