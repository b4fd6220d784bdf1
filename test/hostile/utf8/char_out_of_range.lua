-- expect: ok [false, false, true]
-- SPDX-License-Identifier: Apache-2.0
return (pcall(utf8.char, -1)), (pcall(utf8.char, 0x80000000)), #utf8.char(0x7fffffff) == 6
