-- expect: limit depth
-- SPDX-License-Identifier: Apache-2.0
local function tower() coroutine.resume(coroutine.create(tower)) end
tower()
