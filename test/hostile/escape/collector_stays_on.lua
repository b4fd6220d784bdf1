-- expect: ok [true]
-- SPDX-License-Identifier: Apache-2.0
return collectgarbage("isrunning")
