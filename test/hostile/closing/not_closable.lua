-- expect: lua "variable 'x' got a non-closable value"
-- SPDX-License-Identifier: Apache-2.0
local x <close> = 42
