-- expect: ok [null]
-- SPDX-License-Identifier: Apache-2.0
return ("a"):rep(1000):match("^" .. ("[ab]"):rep(100000))
