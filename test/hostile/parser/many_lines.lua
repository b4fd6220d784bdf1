-- expect: ok [200001]
-- SPDX-License-Identifier: Apache-2.0
local _, why = load(("\n"):rep(200000) .. "x")
return tonumber(why:match(":(%d+):"))
