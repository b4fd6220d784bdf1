-- expect: ok [20000]
-- SPDX-License-Identifier: Apache-2.0
local source = "return {" .. ("1,"):rep(20000) .. "}"
return #load(source)()
