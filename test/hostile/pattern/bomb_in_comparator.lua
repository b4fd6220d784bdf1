-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
table.sort({1, 2, 3}, function()
    return ("a"):rep(40):find(("a?"):rep(40) .. ("a"):rep(40)) == nil
end)
