-- expect: ok [null, null, null]
-- SPDX-License-Identifier: Apache-2.0
return (load("local x <const> = 1; x = 2")), (load("local x <bad> = 1")),
    (load("local a <close>, b <close> = 1, 2"))
