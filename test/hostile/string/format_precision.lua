-- expect: lua "invalid conversion"
-- SPDX-License-Identifier: Apache-2.0
return ("%.100f"):format(1)
