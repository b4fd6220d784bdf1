-- expect: ok []
-- SPDX-License-Identifier: Apache-2.0
string.format = function() return "changed" end
