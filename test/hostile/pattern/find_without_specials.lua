-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
return ("a"):rep(3000000):find(("a"):rep(1000000) .. "b")
