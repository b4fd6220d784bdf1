-- expect: limit depth
-- SPDX-License-Identifier: Apache-2.0
local function deeper() string.gsub("x", "x", deeper) end
coroutine.resume(coroutine.create(deeper))
violated = true
