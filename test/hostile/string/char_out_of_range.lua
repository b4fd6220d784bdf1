-- expect: ok [false, false, false]
-- SPDX-License-Identifier: Apache-2.0
return (pcall(string.char, 256)), (pcall(string.char, -1)), (pcall(string.char, 1.5))
