-- expect: ok ["(null)", "(null)", "(null)"]
-- SPDX-License-Identifier: Apache-2.0
return ("%p"):format(1), ("%p"):format(nil), ("%p"):format(true)
