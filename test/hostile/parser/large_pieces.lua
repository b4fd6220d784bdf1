-- expect: ok [7]
-- SPDX-License-Identifier: Apache-2.0
local pieces = {"--", ("x"):rep(300000), "\nreturn ", "--[[" .. ("y"):rep(300000) .. "]]", "7"}
return load(function() return table.remove(pieces, 1) end)()
