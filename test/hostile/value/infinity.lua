-- expect: badterm [1, 2]
-- SPDX-License-Identifier: Apache-2.0
return {1, -math.huge}
