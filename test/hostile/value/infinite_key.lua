-- expect: badterm
-- SPDX-License-Identifier: Apache-2.0
return {[math.huge] = 1}
