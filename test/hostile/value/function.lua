-- expect: badterm [1]
-- SPDX-License-Identifier: Apache-2.0
return print
