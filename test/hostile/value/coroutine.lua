-- expect: badterm [2]
-- SPDX-License-Identifier: Apache-2.0
return 1, coroutine.create(print)
