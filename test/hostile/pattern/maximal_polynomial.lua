-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
return ("a"):rep(200):match(("a*"):rep(20) .. "b")
