-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
for _ in function() return 1 end do end
