-- expect: limit depth
-- SPDX-License-Identifier: Apache-2.0
local function deeper() table.sort({1, 2, 3}, deeper) return false end
deeper()
