-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
return ("a"):rep(3000):match(("(a*)"):rep(8) .. "b")
