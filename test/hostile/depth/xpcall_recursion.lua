-- expect: limit depth
-- SPDX-License-Identifier: Apache-2.0
local function deeper() return xpcall(deeper, print), 1 end
deeper()
