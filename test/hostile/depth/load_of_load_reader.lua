-- expect: limit depth
-- SPDX-License-Identifier: Apache-2.0
-- The innermost reader meets the end of the C stack; no load on the way may make a result of it.
local function reader()
    load(reader)
    violated = true
end
load(reader)
