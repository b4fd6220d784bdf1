-- expect: badterm [1, "self"]
-- SPDX-License-Identifier: Apache-2.0
local t = {}
t.self = t
return t
