-- expect: ok [{"1": 1, "3": 3}]
-- SPDX-License-Identifier: Apache-2.0
return {1, nil, 3}
