-- expect: ok [false, false, false]
-- SPDX-License-Identifier: Apache-2.0
return (pcall(string.gsub, "a", "a", "%2")), (pcall(string.gsub, "a", "a", "%z")),
    (pcall(string.gsub, "a", "a", function() return {} end))
