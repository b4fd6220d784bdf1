-- expect: ok [null, 1]
-- SPDX-License-Identifier: Apache-2.0
local name = ("n"):rep(300000)
local f = load(("local %s = 1 return %s"):format(name, name))
return (load(name)), f()
