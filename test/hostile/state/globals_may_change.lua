-- expect: ok ["mine"]
-- after: reset
-- SPDX-License-Identifier: Apache-2.0
function tostring() return "mine" end
return tostring(1)
