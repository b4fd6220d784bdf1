-- expect: ok [0]
-- SPDX-License-Identifier: Apache-2.0
for i = 1, 1e5 do
    rawset(os, i, i)
    os[i] = nil
end
return #os
