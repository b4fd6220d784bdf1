-- expect: ok [false, false, false]
-- SPDX-License-Identifier: Apache-2.0
return (pcall(string.rep)), (pcall(("x").rep)), (pcall(("x").bad))
