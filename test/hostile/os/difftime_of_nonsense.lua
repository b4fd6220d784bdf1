-- expect: ok [false]
-- SPDX-License-Identifier: Apache-2.0
return (pcall(os.difftime, {}, 1))
