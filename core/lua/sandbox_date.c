// SPDX-License-Identifier: Apache-2.0
// os: the clock and the calendar. Nothing here changes the process but tzset, which the C library
// does by itself the first time that it needs the local time zone.
//
// `outside` wherever the C library takes the lock of the time zone.
#include "sandbox_build.h"

#include <limits.h>
#include <pthread.h>
#include <time.h>

// strftime's longest answer to one conversion.
#define DATE_ITEM_BYTES ((size_t)256)
#define DATE_ITEM_STEPS 256u

static pthread_once_t date_once = PTHREAD_ONCE_INIT;

void sandbox_prepare_dates(void) {
    (void)pthread_once(&date_once, tzset);
}

static int date_clock(lua_State *L) {
    lua_pushnumber(L, (lua_Number)clock() / (lua_Number)CLOCKS_PER_SEC);
    return 1;
}

static time_t date_check_time(lua_State *L, int argument) {
    lua_Integer value = sandbox_check_integer(L, argument);
    luaL_argcheck(L, (lua_Integer)(time_t)value == value, argument, "time out-of-bounds");
    return (time_t)value;
}

static int date_difftime(lua_State *L) {
    time_t later = date_check_time(L, 1);
    lua_pushnumber(L, difftime(later, date_check_time(L, 2)));
    return 1;
}

static void date_set_integer(lua_State *L, const char *key, lua_Integer value) {
    lua_pushinteger(L, value);
    lua_setfield(L, -2, key);
}

// Into the table on top, which may be the script's own and have __newindex.
static void date_set_fields(lua_State *L, const struct tm *date) {
    date_set_integer(L, "year", (lua_Integer)date->tm_year + 1900);
    date_set_integer(L, "month", (lua_Integer)date->tm_mon + 1);
    date_set_integer(L, "day", date->tm_mday);
    date_set_integer(L, "hour", date->tm_hour);
    date_set_integer(L, "min", date->tm_min);
    date_set_integer(L, "sec", date->tm_sec);
    date_set_integer(L, "yday", (lua_Integer)date->tm_yday + 1);
    date_set_integer(L, "wday", (lua_Integer)date->tm_wday + 1);
    if (date->tm_isdst >= 0) {
        lua_pushboolean(L, date->tm_isdst);
        lua_setfield(L, -2, "isdst");
    }
}

// Of the table at 1. `absent` below 0: the field must be there.
static int date_get_integer(lua_State *L, const char *key, int absent, int base) {
    int type = lua_getfield(L, 1, key), valid = 0;
    lua_Integer value = 0;
    if (type != LUA_TSTRING || sandbox_string_to_number(L, -1))
        value = lua_tointegerx(L, -1, &valid);
    lua_settop(L, 1);
    if (!valid) {
        if (type != LUA_TNIL)
            return luaL_error(L, "field '%s' is not an integer", key);
        if (absent < 0)
            return luaL_error(L, "field '%s' missing in date table", key);
        return absent;
    }
    if (value > (lua_Integer)INT_MAX + base || value < (lua_Integer)INT_MIN + base)
        return luaL_error(L, "field '%s' is out-of-bound", key);
    return (int)(value - base);
}

static time_t date_make(lua_State *L, struct tm *date) {
    struct sandbox *sandbox = sandbox_of(L);
    sandbox->outside++;
    time_t made = mktime(date);
    sandbox->outside--;
    return made;
}

static int date_time(lua_State *L) {
    time_t made;
    if (lua_isnoneornil(L, 1)) {
        made = time(NULL);
    } else {
        luaL_checktype(L, 1, LUA_TTABLE);
        lua_settop(L, 1);
        struct tm date = {.tm_year = date_get_integer(L, "year", -1, 1900)};
        date.tm_mon = date_get_integer(L, "month", -1, 1);
        date.tm_mday = date_get_integer(L, "day", -1, 0);
        date.tm_hour = date_get_integer(L, "hour", 12, 0);
        date.tm_min = date_get_integer(L, "min", 0, 0);
        date.tm_sec = date_get_integer(L, "sec", 0, 0);
        date.tm_isdst = lua_getfield(L, 1, "isdst") == LUA_TNIL ? -1 : lua_toboolean(L, -1);
        lua_settop(L, 1);
        made = date_make(L, &date);
        date_set_fields(L, &date);
    }
    if (made == (time_t)-1)
        return luaL_error(L, "time result cannot be represented in this installation");
    lua_pushinteger(L, (lua_Integer)made);
    return 1;
}

// How many bytes of a conversion C99 knows, after its '%': 1, 2 or, for what it does not know, 0.
static size_t date_conversion(const char *at, size_t left) {
    static const char plain[] = "aAbBcCdDeFgGhHIjmMnprRStTuUVwWxXyYzZ%";
    static const char after_e[] = "cCxXyY", after_o[] = "deHImMSuUVwWy";
    if (left >= 1 && *at != '\0' && strchr(plain, *at) != NULL)
        return 1;
    if (left < 2 || at[1] == '\0' || (*at != 'E' && *at != 'O'))
        return 0;
    return strchr(*at == 'E' ? after_e : after_o, at[1]) != NULL ? 2 : 0;
}

static void date_item(struct build *build, const char *conversion, size_t length,
                      const struct tm *date) {
    char format[4] = "%";
    memcpy(format + 1, conversion, length);
    char *to = build_room(build, DATE_ITEM_BYTES);
    (void)sandbox_spend(build->L, build->sandbox, DATE_ITEM_STEPS);
    build->sandbox->outside++;
    size_t written = strftime(to, DATE_ITEM_BYTES, format, date);
    build->sandbox->outside--;
    build_took(build, written);
}

static int date_format(lua_State *L, const char *at, const char *end, const struct tm *date) {
    struct build build;
    build_open(&build, L, 0);
    while (at < end) {
        char *to = build_room(&build, 1);
        size_t room = BUILD_BYTES - build.used, n = 0;
        for (; n < room && at < end && *at != '%'; n++)
            to[n] = *at++;
        build_took(&build, n);
        (void)sandbox_spend(L, build.sandbox, n / 8);
        if (at == end || *at != '%')
            continue;
        at++;
        size_t length = date_conversion(at, (size_t)(end - at));
        if (length == 0)
            sandbox_need_memory(L, build.sandbox, 4 * (size_t)(end - at)); // for its message
        if (length == 0)
            luaL_argerror(L, 1, lua_pushfstring(L, "invalid conversion specifier '%%%s'", at));
        date_item(&build, at, length, date);
        at += length;
    }
    build_close(&build);
    return 1;
}

static bool date_break_down(lua_State *L, time_t when, bool universal, struct tm *date) {
    struct sandbox *sandbox = sandbox_of(L);
    sandbox->outside++;
    bool done = (universal ? gmtime_r(&when, date) : localtime_r(&when, date)) != NULL;
    sandbox->outside--;
    return done;
}

static int date_date(lua_State *L) {
    size_t length;
    struct tm date;
    const char *at = luaL_optlstring(L, 1, "%c", &length);
    const char *end = at + length;
    time_t when = lua_isnoneornil(L, 2) ? time(NULL) : date_check_time(L, 2);
    bool universal = *at == '!';
    at += universal ? 1 : 0;
    if (!date_break_down(L, when, universal, &date))
        return luaL_error(L, "date result cannot be represented in this installation");
    if (strcmp(at, "*t") != 0)
        return date_format(L, at, end, &date);
    lua_createtable(L, 0, 9);
    date_set_fields(L, &date);
    return 1;
}

const luaL_Reg sandbox_date_functions[] = {
    {"clock", date_clock}, {"date", date_date}, {"difftime", date_difftime},
    {"time", date_time},   {NULL, NULL},
};
