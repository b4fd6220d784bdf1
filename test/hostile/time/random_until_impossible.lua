-- expect: limit time
-- SPDX-License-Identifier: Apache-2.0
repeat until math.random() > 1
