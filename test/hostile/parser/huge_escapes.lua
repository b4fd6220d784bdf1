-- expect: ok [null, null, null, null]
-- SPDX-License-Identifier: Apache-2.0
return (load("return '\\300'")), (load("return '\\u{ffffffff}'")), (load("return '\\xzz'")),
    (load("return '\\u{" .. ("0"):rep(100000)))
