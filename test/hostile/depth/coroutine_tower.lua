-- expect: limit depth
-- SPDX-License-Identifier: Apache-2.0
local function tower() coroutine.wrap(tower)() end
tower()
