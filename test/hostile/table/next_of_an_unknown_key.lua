-- expect: lua "invalid key to 'next'"
-- SPDX-License-Identifier: Apache-2.0
next({1, 2, 3}, "none")
