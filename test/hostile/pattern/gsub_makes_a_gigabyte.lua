-- expect: limit memory
-- SPDX-License-Identifier: Apache-2.0
return ("x"):rep(1000000):gsub(".", ("y"):rep(1000))
