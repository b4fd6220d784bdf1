-- expect: lua "'__tostring' must return a string"
-- SPDX-License-Identifier: Apache-2.0
print(1, nil, setmetatable({}, {__tostring = function() return {} end}))
