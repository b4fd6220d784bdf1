-- expect: ok [true]
-- SPDX-License-Identifier: Apache-2.0
return load("return x" .. ("()"):rep(100000) .. (".y"):rep(50000)) ~= nil
