// SPDX-License-Identifier: Apache-2.0
#include "sandbox_pack.h"

#include <string.h>

bool sandbox_machine_is_little(void) {
    const uint16_t one = 1;
    char first;
    memcpy(&first, &one, 1);
    return first == 1;
}

void sandbox_pack_init(struct pack *pack, lua_State *L) {
    *pack = (struct pack){.L = L,
                          .sandbox = sandbox_of(L),
                          .at = luaL_checkstring(L, 1),
                          .little = sandbox_machine_is_little(),
                          .align_max = 1};
}

static int pack_digits(struct pack *pack, int absent) {
    if (*pack->at < '0' || *pack->at > '9')
        return absent;
    int n = 0;
    do
        n = n * 10 + (*pack->at++ - '0');
    while (*pack->at >= '0' && *pack->at <= '9' && n <= (INT_MAX - 9) / 10);
    return n;
}

static int pack_int_size(struct pack *pack, size_t absent) {
    int size = pack_digits(pack, (int)absent);
    if (size <= 0 || size > PACK_INT_MAX)
        luaL_error(pack->L, "integral size (%d) out of limits [1,%d]", size, PACK_INT_MAX);
    return size;
}

static int pack_chars_size(struct pack *pack) {
    int size = pack_digits(pack, -1);
    if (size == -1)
        luaL_error(pack->L, "missing size for format option 'c'");
    return size;
}

// '!' without a number means the alignment of these.
struct pack_aligned {
    char before;
    union {
        lua_Number n;
        double u;
        void *s;
        lua_Integer i;
        long l;
    } most;
};

static enum pack_kind pack_kind_of(struct pack *pack, int *size) {
    char option = *pack->at++;
    *size = 0;
    switch (option) {
    case 'b':
    case 'B':
        *size = sizeof(char);
        return option == 'b' ? PACK_SIGNED : PACK_UNSIGNED;
    case 'h':
    case 'H':
        *size = sizeof(short);
        return option == 'h' ? PACK_SIGNED : PACK_UNSIGNED;
    case 'l':
    case 'L':
        *size = sizeof(long);
        return option == 'l' ? PACK_SIGNED : PACK_UNSIGNED;
    case 'j':
    case 'J':
        *size = sizeof(lua_Integer);
        return option == 'j' ? PACK_SIGNED : PACK_UNSIGNED;
    case 'T':
        *size = sizeof(size_t);
        return PACK_UNSIGNED;
    case 'i':
    case 'I':
        *size = pack_int_size(pack, sizeof(int));
        return option == 'i' ? PACK_SIGNED : PACK_UNSIGNED;
    case 'f':
        *size = sizeof(float);
        return PACK_FLOAT;
    case 'd':
    case 'n':
        *size = sizeof(double);
        return PACK_DOUBLE;
    case 's':
        *size = pack_int_size(pack, sizeof(size_t));
        return PACK_STRING;
    case 'c':
        *size = pack_chars_size(pack);
        return PACK_CHARS;
    case 'z':
        return PACK_ZEROED;
    case 'x':
        *size = 1;
        return PACK_PADDING;
    case 'X':
        return PACK_ALIGN;
    case '<':
        pack->little = true;
        break;
    case '>':
        pack->little = false;
        break;
    case '=':
        pack->little = sandbox_machine_is_little();
        break;
    case '!':
        pack->align_max = pack_int_size(pack, offsetof(struct pack_aligned, most));
        break;
    case ' ':
        break;
    default:
        luaL_error(pack->L, "invalid format option '%c'", option);
    }
    return PACK_NOTHING;
}

struct pack_option sandbox_pack_next(struct pack *pack, size_t total) {
    struct pack_option option = {.gap = 0};
    (void)sandbox_spend(pack->L, pack->sandbox, 4);
    option.kind = pack_kind_of(pack, &option.size);
    int align = option.size;
    if (option.kind == PACK_ALIGN &&
        (*pack->at == '\0' || pack_kind_of(pack, &align) == PACK_CHARS || align == 0))
        luaL_argerror(pack->L, 1, "invalid next option for option 'X'");
    if (align <= 1 || option.kind == PACK_CHARS)
        return option;
    if (align > pack->align_max)
        align = pack->align_max;
    if ((align & (align - 1)) != 0)
        luaL_argerror(pack->L, 1, "format asks for alignment not power of 2");
    option.gap = (align - (int)(total & (size_t)(align - 1))) & (align - 1);
    return option;
}
