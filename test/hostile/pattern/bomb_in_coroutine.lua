-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
coroutine.wrap(function() return ("a"):rep(40):find(("a?"):rep(40) .. ("a"):rep(40)) end)()
