-- expect: ok ["-a-b-c-", 4]
-- SPDX-License-Identifier: Apache-2.0
return ("abc"):gsub("", "-")
