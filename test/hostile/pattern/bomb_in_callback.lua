-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
return ("x"):gsub("x", function() return ("a"):rep(40):match(("a?"):rep(40) .. ("a"):rep(40)) end)
