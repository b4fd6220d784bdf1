-- expect: ok [false, false]
-- SPDX-License-Identifier: Apache-2.0
return getmetatable(""), (pcall(setmetatable, "", {}))
