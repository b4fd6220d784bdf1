-- expect: limit depth
-- SPDX-License-Identifier: Apache-2.0
local function deeper() return pcall(deeper) end
return deeper()
