-- expect: lua "in table for 'concat'"
-- SPDX-License-Identifier: Apache-2.0
return table.concat({"a", {}, "c"})
