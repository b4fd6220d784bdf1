-- expect: lua "attempt to index"
-- SPDX-License-Identifier: Apache-2.0
local _ENV = nil
return x
