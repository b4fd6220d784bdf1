-- expect: lua ""
-- SPDX-License-Identifier: Apache-2.0
setmetatable(string, {__index = _G})
