-- expect: ok [null, null, null, null]
-- SPDX-License-Identifier: Apache-2.0
return (load("break")), (load("goto nowhere")), (load("::a:: ::a::")),
    (load("goto f; local x; ::f:: x()"))
