-- expect: ok [410]
-- SPDX-License-Identifier: Apache-2.0
return #("%99.99f"):format(-1.7976931348623157e308)
