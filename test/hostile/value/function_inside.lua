-- expect: badterm [1, "a", 2]
-- SPDX-License-Identifier: Apache-2.0
return {a = {1, print}}
