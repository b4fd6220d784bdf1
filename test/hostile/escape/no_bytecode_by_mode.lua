-- expect: ok [null, null, true]
-- SPDX-License-Identifier: Apache-2.0
return (load("\27Lua", "x", "b")), (load("return 1", "x", "b")), load("return 1", "x", "t") ~= nil
