%% SPDX-License-Identifier: Apache-2.0
%% The driver's name and the numbers of driver_frame.h.

-define(DRIVER, "tripod_port_driver").

-define(SEND, 1).
-define(OPEN, 2).
-define(USAGE, 3).
-define(MAY_GIVE, 4).
-define(GIVE, 5).
-define(CENSUS, 6).
-define(INTERRUPT, 7).
-define(CLOSE, 8).
-define(OWNED, 9).
-define(LOG, 10).
-define(WITHDRAW, 11).
-define(AWAITED, 12).
-define(CLOSE_ALL, 13).
-define(CALL, 256).
-define(MAX_TIME_MS, (16#ffffffff - ?CALL)).

-define(ETF, 131).
-define(OK, 0).
-define(ERROR, 1).
-define(DOWN, 2).
-define(WHOLE, 3).
-define(LATER, 4).
