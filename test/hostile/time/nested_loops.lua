-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
local depth = 45
local source = ("for i = 1, 1000 do "):rep(depth) .. ("end "):rep(depth)
load(source)()
