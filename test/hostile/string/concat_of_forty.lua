-- expect: down memory
-- SPDX-License-Identifier: Apache-2.0
-- One instruction asks for 40 MB at once: more than the hard cap, where Lua cannot be unwound.
local s = ("x"):rep(1000000)
local source = "local s = ... return " .. ("s .. "):rep(40) .. "s"
return load(source)(s)
