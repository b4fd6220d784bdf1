-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
local f = load(("n"):rep(300000) .. "()")
while true do pcall(f) end
