-- expect: ok [true]
-- SPDX-License-Identifier: Apache-2.0
return load("return " .. ("9"):rep(500000))() == math.huge
