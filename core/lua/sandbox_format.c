// SPDX-License-Identifier: Apache-2.0
// string.format. Two functions, because only one of them may be on the C stack while a __tostring
// runs: format_run writes as much as it can and has the large frame; format_go calls back.
//
// What a conversion accepts, and in which order its errors are found, is as in Lua 5.4.4 and later;
// the C library writes the numbers, except for the plain %d, %x and %s of every day.
#include "sandbox_format.h"

#include "sandbox_call.h"

#include <stdio.h>

// The C library's answers: 99 digits of precision and 309 before the point is the most.
#define FORMAT_ITEM_BYTES ((size_t)448)
// Writing a number, in steps of sandbox_spend.
#define FORMAT_NUMBER_STEPS 32u
// Bytes in which a zero is looked for at once; one step finds none in 32.
#define FORMAT_ZERO_BLOCK ((size_t)64 * 1024)
// Texts that are copied where a piece of their own would be more work.
#define FORMAT_SHORT_BYTES ((size_t)256)
// Flags, width and precision together.
#define FORMAT_MODIFIERS_MAX 20u

struct format {
    const char *at, *end;
    int argument; // the last one taken
    int top;
    int pieces; // of the result, on the stack
    bool ready; // the text of the argument of %s at `at` lies above them
};

struct format_spec {
    char text[FORMAT_MODIFIERS_MAX + 12]; // "%-5.2f", as it stands in the format
    size_t length;
};

static bool format_is_modifier(char c) {
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '#' || c == ' ' || c == '.';
}

// Takes one specification without its '%'. The byte after the modifiers, whatever it is, is the
// conversion; at the end of the format that is the zero behind it.
static const char *format_take(lua_State *L, const char *at, struct format_spec *spec) {
    size_t modifiers = 0;
    while (modifiers <= FORMAT_MODIFIERS_MAX && format_is_modifier(at[modifiers]))
        modifiers++;
    if (modifiers > FORMAT_MODIFIERS_MAX)
        luaL_error(L, "invalid format (too long)");
    spec->text[0] = '%';
    memcpy(spec->text + 1, at, modifiers + 1);
    spec->length = modifiers + 2;
    spec->text[spec->length] = '\0';
    return at + modifiers + 1;
}

static bool format_is_plain(const struct format_spec *spec) {
    return spec->length == 2;
}

static const char *format_skip_digits(const char *at) {
    for (int i = 0; i < 2 && *at >= '0' && *at <= '9'; i++)
        at++;
    return at;
}

static void format_check(lua_State *L, const struct format_spec *spec, const char *flags,
                         bool precision) {
    if (format_is_plain(spec))
        return;
    const char *at = spec->text + 1;
    at += strspn(at, flags);
    if (*at != '0') {
        at = format_skip_digits(at);
        if (*at == '.' && precision)
            at = format_skip_digits(at + 1);
    }
    if (at != spec->text + spec->length - 1)
        luaL_error(L, "invalid conversion specification: '%s'", spec->text);
}

// Puts the C library's length modifier before the conversion.
static void format_widen(struct format_spec *spec, const char *modifier) {
    char conversion = spec->text[spec->length - 1];
    size_t length = strlen(modifier);
    memcpy(spec->text + spec->length - 1, modifier, length);
    spec->text[spec->length - 1 + length] = conversion;
    spec->text[spec->length + length] = '\0';
    spec->length += length;
}

// `bytes` with the width and the precision of the specification, which was checked.
static void format_padded(struct build *build, const struct format_spec *spec, const char *bytes,
                          size_t length) {
    const char *at = spec->text + 1;
    bool left = *at == '-';
    at += strspn(at, "-");
    size_t width = 0, precision = 0;
    for (; *at >= '0' && *at <= '9'; at++)
        width = 10 * width + (size_t)(*at - '0');
    if (*at == '.') {
        for (at++; *at >= '0' && *at <= '9'; at++)
            precision = 10 * precision + (size_t)(*at - '0');
        length = length < precision ? length : precision;
    }
    size_t padding = length < width ? width - length : 0;
    if (!left)
        build_fill(build, ' ', padding);
    build_bytes(build, bytes, length);
    if (left)
        build_fill(build, ' ', padding);
}

static void format_decimal(struct build *build, lua_Integer value) {
    char digits[20];
    size_t n = sizeof digits;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do
        digits[--n] = (char)('0' + rest % 10);
    while ((rest /= 10) != 0);
    char *to = build_room(build, sizeof digits + 1);
    if (value < 0)
        *to++ = '-';
    memcpy(to, digits + n, sizeof digits - n);
    build_took(build, sizeof digits - n + (value < 0 ? 1 : 0));
}

static void format_integer(struct build *build, struct format_spec *spec, int argument,
                           const char *flags) {
    lua_Integer value = sandbox_check_integer(build->L, argument);
    char conversion = spec->text[spec->length - 1];
    if (format_is_plain(spec) && (conversion == 'd' || conversion == 'i')) {
        format_decimal(build, value);
        return;
    }
    format_check(build->L, spec, flags, true);
    format_widen(spec, LUA_INTEGER_FRMLEN);
    char *to = build_room(build, FORMAT_ITEM_BYTES);
    build_took(build, (size_t)snprintf(to, FORMAT_ITEM_BYTES, spec->text, value));
}

static void format_float(struct build *build, struct format_spec *spec, int argument) {
    bool check_first = (spec->text[spec->length - 1] | 0x20) == 'a';
    if (check_first)
        format_check(build->L, spec, "-+#0 ", true);
    lua_Number value = sandbox_check_number(build->L, argument);
    if (!check_first)
        format_check(build->L, spec, "-+#0 ", true);
    char *to = build_room(build, FORMAT_ITEM_BYTES);
    build->sandbox->outside++; // large precisions may take memory of the C library's
    int length = snprintf(to, FORMAT_ITEM_BYTES, spec->text, value);
    build->sandbox->outside--;
    build_took(build, (size_t)length);
}

static void format_character(struct build *build, const struct format_spec *spec, int argument) {
    format_check(build->L, spec, "-", false);
    char c = (char)sandbox_check_integer(build->L, argument);
    format_padded(build, spec, &c, 1);
}

static void format_pointer(struct build *build, const struct format_spec *spec, int argument) {
    char text[SANDBOX_IDENTITY_BYTES];
    size_t length = sandbox_identity(build->L, argument, text);
    format_check(build->L, spec, "-", false);
    if (length == 0)
        format_padded(build, spec, "(null)", 6);
    else
        format_padded(build, spec, text, length);
}

static void format_quote(struct build *build, const struct format_spec *spec, int argument) {
    if (!format_is_plain(spec))
        luaL_error(build->L, "specifier '%%q' cannot have modifiers");
    sandbox_quote(build, argument);
}

static bool format_has_zero(struct build *build, const char *bytes, size_t length) {
    while (length > 0) {
        size_t part = length < FORMAT_ZERO_BLOCK ? length : FORMAT_ZERO_BLOCK;
        (void)sandbox_spend(build->L, build->sandbox, part / 32);
        if (memchr(bytes, '\0', part) != NULL)
            return true;
        bytes += part;
        length -= part;
    }
    return false;
}

// The text is on top of the stack.
static void format_text(struct build *build, const struct format_spec *spec, int argument) {
    lua_State *L = build->L;
    size_t length;
    const char *bytes = lua_tolstring(L, -1, &length);
    if (format_is_plain(spec)) {
        build_value(build);
        return;
    }
    luaL_argcheck(L, !format_has_zero(build, bytes, length), argument, "string contains zeros");
    format_check(L, spec, "-", true);
    if (length >= 100 && strchr(spec->text, '.') == NULL) {
        build_value(build);
        return;
    }
    // At most 99 bytes. They are copied first, because the text lies above the pieces.
    char copy[100];
    size_t shown = length < sizeof copy ? length : sizeof copy;
    memcpy(copy, bytes, shown);
    lua_pop(L, 1);
    format_padded(build, spec, copy, shown);
}

// %s of what takes no callback: strings and numbers can have no __tostring here, because no script
// gets at their metatables.
static bool format_simple_text(struct build *build, const struct format_spec *spec, int argument) {
    lua_State *L = build->L;
    int type = lua_type(L, argument);
    if (type != LUA_TSTRING && type != LUA_TNUMBER)
        return false;
    size_t length;
    const char *bytes = type == LUA_TSTRING ? lua_tolstring(L, argument, &length) : NULL;
    if (bytes != NULL && length < FORMAT_SHORT_BYTES && format_is_plain(spec)) {
        build_bytes(build, bytes, length);
    } else {
        lua_pushvalue(L, argument);
        format_text(build, spec, argument);
    }
    return true;
}

static void format_item(struct build *build, struct format_spec *spec, int argument) {
    (void)sandbox_spend(build->L, build->sandbox, FORMAT_NUMBER_STEPS);
    switch (spec->text[spec->length - 1]) {
    case 'c':
        format_character(build, spec, argument);
        return;
    case 'd':
    case 'i':
        format_integer(build, spec, argument, "-+0 ");
        return;
    case 'u':
        format_integer(build, spec, argument, "-0");
        return;
    case 'o':
    case 'x':
    case 'X':
        format_integer(build, spec, argument, "-#0");
        return;
    case 'a':
    case 'A':
    case 'e':
    case 'E':
    case 'f':
    case 'g':
    case 'G':
        format_float(build, spec, argument);
        return;
    case 'p':
        format_pointer(build, spec, argument);
        return;
    case 'q':
        format_quote(build, spec, argument);
        return;
    default:
        luaL_error(build->L, "invalid conversion '%s' to 'format'", spec->text);
    }
}

// Copies up to the next '%', or to the end of the format.
static const char *format_literal(struct build *build, const char *at, const char *end) {
    while (at < end && *at != '%') {
        char *to = build_room(build, 1);
        size_t room = BUILD_BYTES - build->used, n = 0;
        for (; n < room && at < end && *at != '%'; n++)
            to[n] = *at++;
        build_took(build, n);
        (void)sandbox_spend(build->L, build->sandbox, n / 8);
    }
    return at;
}

// True: done, the result is pushed. False: the text of the argument must be pushed first.
static __attribute__((noinline)) bool format_run(lua_State *L, struct format *format) {
    struct build build;
    struct format_spec spec;
    build_open(&build, L, format->pieces);
    const char *at = format->at, *end = format->end;
    for (;;) {
        if (!format->ready)
            at = format_literal(&build, at, end);
        if (at == end)
            break;
        if (at[1] == '%') {
            build_byte(&build, '%');
            at += 2;
            continue;
        }
        if (!format->ready && ++format->argument > format->top)
            luaL_argerror(L, format->argument, "no value");
        const char *next = format_take(L, at + 1, &spec);
        if (next[-1] != 's') {
            format_item(&build, &spec, format->argument);
        } else if (format->ready) {
            format->ready = false;
            format_text(&build, &spec, format->argument);
        } else if (!format_simple_text(&build, &spec, format->argument)) {
            format->at = at;
            format->pieces = build_flush(&build);
            return false;
        }
        at = next;
    }
    build_close(&build);
    return true;
}

static int format_told(lua_State *L, int status, lua_KContext context);

// Two stack indices in one number.
#define FORMAT_TOP_MULTIPLE (2 * LUAI_MAXSTACK)

static int format_go(lua_State *L, struct format *format) {
    while (!format_run(L, format)) {
        if (sandbox_ask_text(L, format->argument)) {
            // What is needed after a pause lies below the text, or in the context.
            lua_pushinteger(L, format->end - format->at);
            lua_insert(L, -3);
            sandbox_fence(L, sandbox_of(L));
            lua_callk(L, 1, 1, (lua_KContext)format->top * FORMAT_TOP_MULTIPLE + format->argument,
                      format_told);
            sandbox_unfence(sandbox_of(L));
            sandbox_take_text(L);
            lua_remove(L, -2);
        }
        format->ready = true;
    }
    return 1;
}

static int format_told(lua_State *L, int status, lua_KContext context) {
    (void)status;
    sandbox_unfence(sandbox_of(L));
    sandbox_take_text(L);
    size_t length;
    const char *text = lua_tolstring(L, 1, &length);
    struct format format = {
        .end = text + length,
        .at = text + length - lua_tointeger(L, -2),
        .argument = (int)(context % FORMAT_TOP_MULTIPLE),
        .top = (int)(context / FORMAT_TOP_MULTIPLE),
        .ready = true,
    };
    lua_remove(L, -2);
    format.pieces = lua_gettop(L) - format.top - 1;
    return format_go(L, &format);
}

static int format_format(lua_State *L) {
    size_t length;
    struct format format = {.argument = 1, .top = lua_gettop(L)};
    format.at = luaL_checklstring(L, 1, &length);
    format.end = format.at + length;
    return format_go(L, &format);
}

const luaL_Reg sandbox_format_functions[] = {
    {"format", format_format},
    {NULL, NULL},
};
