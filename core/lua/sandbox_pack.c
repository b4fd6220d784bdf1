// SPDX-License-Identifier: Apache-2.0
// string.pack, packsize and unpack: what is done with each option of a format.
#include "sandbox_pack.h"
#include "sandbox_build.h"

// Bytes in which a zero is looked for at once; one step finds none in 32.
#define PACK_ZERO_BLOCK ((size_t)64 * 1024)
// As the stock library: sizes fit an int.
#define PACK_SIZE_MAX ((size_t)INT_MAX)

static void pack_integer(struct build *build, uint64_t value, const struct pack *pack, int size,
                         bool negative) {
    char *to = build_room(build, PACK_INT_MAX);
    for (int i = 0; i < size; i++) {
        unsigned char byte = negative ? 0xff : 0;
        if (i < 8)
            byte = value >> (8 * i) & 0xff;
        memcpy(&to[pack->little ? i : size - 1 - i], &byte, 1);
    }
    build_took(build, (size_t)size);
}

static void pack_swap(char *to, const char *from, size_t size, bool same) {
    for (size_t i = 0; i < size; i++)
        to[i] = from[same ? i : size - 1 - i];
}

static void pack_real(struct build *build, const void *value, size_t size,
                      const struct pack *pack) {
    pack_swap(build_room(build, size), value, size, pack->little == sandbox_machine_is_little());
    build_took(build, size);
}

static void pack_number(struct build *build, const struct pack *pack,
                        const struct pack_option *option, int argument) {
    lua_State *L = pack->L;
    lua_Integer value = sandbox_check_integer(L, argument);
    if (option->size < (int)sizeof value) {
        lua_Integer half = (lua_Integer)1 << (option->size * 8 - 1);
        if (option->kind == PACK_SIGNED)
            luaL_argcheck(L, -half <= value && value < half, argument, "integer overflow");
        else
            luaL_argcheck(L, (lua_Unsigned)value < (lua_Unsigned)half * 2, argument,
                          "unsigned overflow");
    }
    pack_integer(build, (uint64_t)value, pack, option->size,
                 option->kind == PACK_SIGNED && value < 0);
}

// Where the first zero is, or `length`.
static size_t pack_find_zero(const struct pack *pack, const char *bytes, size_t length) {
    for (size_t at = 0; at < length; at += PACK_ZERO_BLOCK) {
        size_t part = length - at < PACK_ZERO_BLOCK ? length - at : PACK_ZERO_BLOCK;
        const char *zero = memchr(bytes + at, '\0', part);
        if (zero != NULL)
            return (size_t)(zero - bytes);
        (void)sandbox_spend(pack->L, pack->sandbox, part / 32);
    }
    return length;
}

// Returns how many bytes were added beyond the option's own size.
static size_t pack_text(struct build *build, const struct pack *pack,
                        const struct pack_option *option, int argument) {
    lua_State *L = pack->L;
    size_t length, size = (size_t)option->size;
    const char *bytes = luaL_checklstring(L, argument, &length);
    switch (option->kind) {
    case PACK_CHARS:
        luaL_argcheck(L, length <= size, argument, "string longer than given size");
        build_bytes(build, bytes, length);
        build_fill(build, '\0', size - length);
        return 0;
    case PACK_STRING:
        luaL_argcheck(L, size >= sizeof length || length < (size_t)1 << (size * 8), argument,
                      "string length does not fit in given size");
        pack_integer(build, length, pack, option->size, false);
        build_bytes(build, bytes, length);
        return length;
    default:
        luaL_argcheck(L, pack_find_zero(pack, bytes, length) == length, argument,
                      "string contains zeros");
        build_bytes(build, bytes, length);
        build_byte(build, '\0');
        return length + 1;
    }
}

static int pack_pack(lua_State *L) {
    struct build build;
    struct pack pack;
    sandbox_pack_init(&pack, L);
    int argument = 1;
    size_t total = 0;
    lua_pushnil(L); // an argument that is missing is this one, as in stock Lua's messages
    build_open(&build, L, 0);
    while (*pack.at != '\0') {
        struct pack_option option = sandbox_pack_next(&pack, total);
        total += (size_t)option.gap + (size_t)option.size;
        build_fill(&build, '\0', (size_t)option.gap);
        argument++;
        switch (option.kind) {
        case PACK_SIGNED:
        case PACK_UNSIGNED:
            pack_number(&build, &pack, &option, argument);
            break;
        case PACK_FLOAT: {
            float value = (float)sandbox_check_number(L, argument);
            pack_real(&build, &value, sizeof value, &pack);
            break;
        }
        case PACK_DOUBLE: {
            double value = sandbox_check_number(L, argument);
            pack_real(&build, &value, sizeof value, &pack);
            break;
        }
        case PACK_CHARS:
        case PACK_STRING:
        case PACK_ZEROED:
            total += pack_text(&build, &pack, &option, argument);
            break;
        case PACK_PADDING:
            build_byte(&build, '\0');
            argument--;
            break;
        case PACK_ALIGN:
        case PACK_NOTHING:
            argument--;
            break;
        }
    }
    build_close(&build);
    return 1;
}

static int pack_packsize(lua_State *L) {
    struct pack pack;
    size_t total = 0;
    sandbox_pack_init(&pack, L);
    while (*pack.at != '\0') {
        struct pack_option option = sandbox_pack_next(&pack, total);
        luaL_argcheck(L, option.kind != PACK_STRING && option.kind != PACK_ZEROED, 1,
                      "variable-length format");
        size_t size = (size_t)option.gap + (size_t)option.size;
        luaL_argcheck(L, size <= PACK_SIZE_MAX && total <= PACK_SIZE_MAX - size, 1,
                      "format result too large");
        total += size;
    }
    lua_pushinteger(L, (lua_Integer)total);
    return 1;
}

static lua_Integer pack_read_integer(const struct pack *pack, const char *bytes, int size,
                                     bool is_signed) {
    uint64_t value = 0;
    int limit = size < 8 ? size : 8;
    for (int i = limit - 1; i >= 0; i--)
        value = value << 8 | (unsigned char)bytes[pack->little ? i : size - 1 - i];
    if (size < 8 && is_signed) {
        uint64_t sign = (uint64_t)1 << (size * 8 - 1);
        value = (value ^ sign) - sign;
    }
    unsigned char rest = is_signed && (int64_t)value < 0 ? 0xff : 0;
    for (int i = limit; i < size; i++)
        if ((unsigned char)bytes[pack->little ? i : size - 1 - i] != rest)
            luaL_error(pack->L, "%d-byte integer does not fit into Lua Integer", size);
    return (lua_Integer)value;
}

static void pack_push_bytes(const struct pack *pack, const char *bytes, size_t length) {
    sandbox_need_memory(pack->L, pack->sandbox, length);
    (void)sandbox_spend(pack->L, pack->sandbox, length / 16);
    (void)lua_pushlstring(pack->L, bytes, length);
}

// Pushes what `bytes`, `left` of them, hold for the option. Returns how many were read beyond the
// option's own size.
static size_t pack_read(const struct pack *pack, const struct pack_option *option,
                        const char *bytes, size_t left) {
    lua_State *L = pack->L;
    bool same = pack->little == sandbox_machine_is_little();
    size_t size = (size_t)option->size, length;
    switch (option->kind) {
    case PACK_SIGNED:
    case PACK_UNSIGNED:
        lua_pushinteger(L,
                        pack_read_integer(pack, bytes, option->size, option->kind == PACK_SIGNED));
        return 0;
    case PACK_FLOAT: {
        float value;
        pack_swap((char *)&value, bytes, sizeof value, same);
        lua_pushnumber(L, (lua_Number)value);
        return 0;
    }
    case PACK_DOUBLE: {
        double value;
        pack_swap((char *)&value, bytes, sizeof value, same);
        lua_pushnumber(L, value);
        return 0;
    }
    case PACK_CHARS:
        pack_push_bytes(pack, bytes, size);
        return 0;
    case PACK_STRING:
        length = (size_t)pack_read_integer(pack, bytes, option->size, false);
        luaL_argcheck(L, length <= left - size, 2, "data string too short");
        pack_push_bytes(pack, bytes + size, length);
        return length;
    default:
        length = pack_find_zero(pack, bytes, left);
        luaL_argcheck(L, length < left, 2, "unfinished string for format 'z'");
        pack_push_bytes(pack, bytes, length);
        return length + 1;
    }
}

// The index from 0 that a position means; what lies before the string is its start.
static size_t pack_start(lua_Integer at, size_t length) {
    if (at > 0)
        return (size_t)at - 1;
    return at == 0 || at < -(lua_Integer)length ? 0 : length + (size_t)at;
}

static int pack_unpack(lua_State *L) {
    struct pack pack;
    size_t length;
    int results = 0;
    sandbox_pack_init(&pack, L);
    const char *data = luaL_checklstring(L, 2, &length);
    size_t at = pack_start(sandbox_opt_integer(L, 3, 1), length);
    luaL_argcheck(L, at <= length, 3, "initial position out of string");
    while (*pack.at != '\0') {
        struct pack_option option = sandbox_pack_next(&pack, at);
        luaL_argcheck(L, (size_t)option.gap + (size_t)option.size <= length - at, 2,
                      "data string too short");
        at += (size_t)option.gap;
        luaL_checkstack(L, 2, "too many results");
        if (option.kind < PACK_PADDING) {
            at += pack_read(&pack, &option, data + at, length - at);
            results++;
        }
        at += (size_t)option.size;
    }
    lua_pushinteger(L, (lua_Integer)at + 1);
    return results + 1;
}

const luaL_Reg sandbox_pack_functions[] = {
    {"pack", pack_pack},
    {"packsize", pack_packsize},
    {"unpack", pack_unpack},
    {NULL, NULL},
};
