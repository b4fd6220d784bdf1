-- expect: lua "too many captures"
-- SPDX-License-Identifier: Apache-2.0
return ("x"):match(("("):rep(40))
