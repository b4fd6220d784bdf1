// SPDX-License-Identifier: Apache-2.0
// Tags of the external term format, shared by etf_read.c and etf_write.c and by nobody else.
// Names and numbers: OTP's "External Term Format" (erts/doc, erl_ext_dist), OTP 29.
#ifndef TRIPOD_ETF_TAGS_H
#define TRIPOD_ETF_TAGS_H

enum etf_tag {
    ETF_VERSION = 131,

    // What crosses in the contract.
    ETF_NEW_FLOAT = 70,
    ETF_SMALL_INTEGER = 97,
    ETF_INTEGER = 98,
    ETF_ATOM = 100,
    ETF_SMALL_TUPLE = 104,
    ETF_LARGE_TUPLE = 105,
    ETF_NIL = 106,
    ETF_STRING = 107,
    ETF_LIST = 108,
    ETF_BINARY = 109,
    ETF_SMALL_BIG = 110,
    ETF_LARGE_BIG = 111,
    ETF_SMALL_ATOM = 115,
    ETF_MAP = 116,
    ETF_ATOM_UTF8 = 118,
    ETF_SMALL_ATOM_UTF8 = 119,

    // What does not.
    ETF_BIT_BINARY = 77,
    ETF_COMPRESSED = 80,
    ETF_NEW_PID = 88,
    ETF_NEW_PORT = 89,
    ETF_NEWER_REFERENCE = 90,
    ETF_FLOAT = 99,
    ETF_REFERENCE = 101,
    ETF_PORT = 102,
    ETF_PID = 103,
    ETF_NEW_FUN = 112,
    ETF_EXPORT = 113,
    ETF_NEW_REFERENCE = 114,
    ETF_FUN = 117,
    ETF_V4_PORT = 120,
    ETF_LOCAL = 121,
};

#endif
