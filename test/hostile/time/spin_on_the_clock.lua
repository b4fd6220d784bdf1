-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
repeat until os.clock() > 1e9
