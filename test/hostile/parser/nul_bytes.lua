-- expect: ok [null, 3]
-- SPDX-License-Identifier: Apache-2.0
return (load("x\0 = 1")), #load("return 'a\0b'")()
