-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
for _ in ("a"):rep(5000):gmatch((".-"):rep(6) .. "b") do end
