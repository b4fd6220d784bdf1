-- expect: ok [true]
-- SPDX-License-Identifier: Apache-2.0
return #tostring(setmetatable({}, {__name = ("n"):rep(1000000)})) > 1000000
