-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
for _ in ipairs(setmetatable({}, {__index = rawlen})) do end
