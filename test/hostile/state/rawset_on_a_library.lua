-- expect: ok []
-- SPDX-License-Identifier: Apache-2.0
rawset(string, "rep", print)
