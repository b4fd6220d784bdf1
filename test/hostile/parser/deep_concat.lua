-- expect: limit depth | ok [true]
-- SPDX-License-Identifier: Apache-2.0
-- Stock load returns the parser's complaint about C levels; here that is the depth limit.
return load("return " .. ("x.."):rep(100000) .. "x") == nil
