-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
return ("a"):rep(200000):find("[" .. ("%d"):rep(100000) .. "]")
