-- expect: ok [null]
-- SPDX-License-Identifier: Apache-2.0
return (load("return f(" .. ("x,"):rep(300) .. "x)"))
