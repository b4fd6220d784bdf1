// SPDX-License-Identifier: Apache-2.0
// os: the clock and the calendar. Nothing here changes the process but tzset, which the C library
// does by itself the first time that it needs the local time zone.
//
// `outside` wherever the C library takes the lock of the time zone.
#include "sandbox_build.h"
#include "sandbox_call.h"

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

// The fields of a date table in the order in which they are written; os.time reads them likewise,
// without the two that follow from the others.
enum { DATE_FIELDS = 9, DATE_YDAY = 6, DATE_WDAY, DATE_ISDST };

static const struct {
    const char *name;
    size_t offset; // in struct tm
    int absent;    // below 0: it must be there
    int base;
} date_fields[DATE_FIELDS] = {
    {"year", offsetof(struct tm, tm_year), -1, 1900}, {"month", offsetof(struct tm, tm_mon), -1, 1},
    {"day", offsetof(struct tm, tm_mday), -1, 0},     {"hour", offsetof(struct tm, tm_hour), 12, 0},
    {"min", offsetof(struct tm, tm_min), 0, 0},       {"sec", offsetof(struct tm, tm_sec), 0, 0},
    {"yday", offsetof(struct tm, tm_yday), 0, 1},     {"wday", offsetof(struct tm, tm_wday), 0, 1},
    {"isdst", offsetof(struct tm, tm_isdst), 0, 0},
};

static int *date_field(struct tm *date, int field) {
    return (int *)(void *)((char *)date + date_fields[field].offset);
}

// Pushes name and value of a field; false: it is to be left out.
static bool date_push_field(lua_State *L, struct tm *date, int field) {
    int value = *date_field(date, field);
    if (field == DATE_ISDST && value < 0)
        return false;
    lua_pushstring(L, date_fields[field].name);
    if (field == DATE_ISDST)
        lua_pushboolean(L, value);
    else
        lua_pushinteger(L, (lua_Integer)value + date_fields[field].base);
    return true;
}

// Into the table on top, which is plain.
static void date_set_fields(lua_State *L, struct tm *date) {
    for (int field = 0; field < DATE_FIELDS; field++)
        if (date_push_field(L, date, field))
            lua_rawset(L, -3);
}

// The value on top as that of a field. May push more.
static int date_check_field(lua_State *L, int field) {
    const char *key = date_fields[field].name;
    int type = lua_type(L, -1), base = date_fields[field].base, valid = 0;
    lua_Integer value = 0;
    if (field == DATE_ISDST)
        return type == LUA_TNIL ? -1 : lua_toboolean(L, -1);
    if (type != LUA_TSTRING || sandbox_string_to_number(L, -1))
        value = lua_tointegerx(L, -1, &valid);
    if (!valid) {
        if (type != LUA_TNIL)
            return luaL_error(L, "field '%s' is not an integer", key);
        if (date_fields[field].absent < 0)
            return luaL_error(L, "field '%s' missing in date table", key);
        return date_fields[field].absent;
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

static int date_push_time(lua_State *L, time_t made) {
    if (made == (time_t)-1)
        return luaL_error(L, "time result cannot be represented in this installation");
    lua_pushinteger(L, (lua_Integer)made);
    return 1;
}

// os.time of a table, whose fields may be read and written by code of the script's. Stack: table,
// this.
struct date_making {
    struct tm date;
    time_t made;
    int read, written; // so many fields
};

static void date_take_field(lua_State *L, struct date_making *making) {
    *date_field(&making->date, making->read) = date_check_field(L, making->read);
    lua_settop(L, 2);
    making->read += making->read + 1 == DATE_YDAY ? DATE_ISDST - DATE_YDAY + 1 : 1;
}

static int date_again(lua_State *L, int status, lua_KContext context);

static int date_got_field(lua_State *L, int status, lua_KContext context) {
    (void)status, (void)context;
    date_take_field(L, lua_touserdata(L, 2));
    return date_again(L, LUA_OK, 0);
}

static int date_again(lua_State *L, int status, lua_KContext context) {
    struct date_making *making = lua_touserdata(L, 2);
    (void)status, (void)context;
    while (making->read < DATE_FIELDS) {
        lua_pushstring(L, date_fields[making->read].name);
        if (sandbox_index(L, 1))
            lua_callk(L, 2, 1, 0, date_got_field);
        date_take_field(L, making);
    }
    if (making->written == 0)
        making->made = date_make(L, &making->date);
    while (making->written < DATE_FIELDS)
        if (date_push_field(L, &making->date, making->written++) && sandbox_newindex(L, 1))
            lua_callk(L, 3, 0, 0, date_again);
    sandbox_unfence(sandbox_of(L));
    return date_push_time(L, making->made);
}

static int date_time(lua_State *L) {
    if (lua_isnoneornil(L, 1))
        return date_push_time(L, time(NULL));
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    struct date_making *making = lua_newuserdatauv(L, sizeof *making, 0);
    memset(making, 0, sizeof *making);
    sandbox_fence(L, sandbox_of(L));
    return date_again(L, LUA_OK, 0);
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
