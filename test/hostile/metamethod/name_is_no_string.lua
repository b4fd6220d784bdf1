-- expect: ok [true]
-- SPDX-License-Identifier: Apache-2.0
return tostring(setmetatable({}, {__name = 42})):find("^table") ~= nil
