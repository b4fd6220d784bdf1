-- expect: ok [false, false, false, false]
-- SPDX-License-Identifier: Apache-2.0
local function bad(format) return (pcall(os.date, format)) end
return bad("%"), bad("%Ez"), bad("%Q"), bad("%5")
