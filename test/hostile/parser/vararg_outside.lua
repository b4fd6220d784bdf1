-- expect: ok [null]
-- SPDX-License-Identifier: Apache-2.0
return (load("return function() return ... end"))
