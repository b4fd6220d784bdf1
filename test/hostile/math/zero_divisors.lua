-- expect: ok [false, false, false]
-- SPDX-License-Identifier: Apache-2.0
return (pcall(math.fmod, 1, 0)), (pcall(function(z) return 1 // z end, 0)),
    (pcall(function(z) return 1 % z end, 0))
