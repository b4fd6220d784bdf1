-- expect: lua "value has no literal form"
-- SPDX-License-Identifier: Apache-2.0
return ("%q"):format({})
