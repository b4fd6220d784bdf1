-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
return ("a"):rep(5000):find((".-"):rep(10) .. "b")
