-- expect: limit depth
-- SPDX-License-Identifier: Apache-2.0
local function reader() load(reader) return nil end
load(reader)
