-- expect: ok []
-- SPDX-License-Identifier: Apache-2.0
string.rep = nil
