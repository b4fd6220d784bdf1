-- expect: ok []
-- after: reset
-- SPDX-License-Identifier: Apache-2.0
local next, globals = next, _G
for k in next, globals do globals[k] = nil end
