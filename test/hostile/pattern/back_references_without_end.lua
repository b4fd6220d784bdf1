-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
return ("a"):rep(20000):find("(.-)(.-)%1%2%1%2b")
