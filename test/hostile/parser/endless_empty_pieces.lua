-- expect: ok [true]
-- SPDX-License-Identifier: Apache-2.0
-- An empty piece ends the source.
return load(function() return "" end) ~= nil
