-- expect: badterm
-- SPDX-License-Identifier: Apache-2.0
return {[print] = 1}
