-- expect: ok [1000000]
-- SPDX-License-Identifier: Apache-2.0
local s = ("a"):rep(1000000)
return #s:match("^" .. s .. "$")
