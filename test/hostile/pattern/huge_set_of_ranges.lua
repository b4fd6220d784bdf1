-- expect: ok [null] | limit time
-- SPDX-License-Identifier: Apache-2.0
-- Who reads the set once is done soon; who reads it at every position never is.
return ("a"):rep(200000):find("[^" .. ("b-z"):rep(100000) .. "a]")
