// SPDX-License-Identifier: Apache-2.0
// The external term format as a source: one bounded buffer, read front to back, once.
//
// The input is untrusted. Nothing is read before etf_take or etf_left has said that it is there,
// and nothing is allocated, so a count that lies costs nothing. Recursion is bounded by the
// reader's depth, and the frames are small: this runs on the VM's threads, whose stacks are too.
#include "etf.h"

#include "etf_tags.h"

#include <string.h>

#define ETF_ATOM_CHARACTERS 255u // MAX_ATOM_CHARACTERS, erts/emulator/beam/atom.h

struct etf_walk {
    const uint8_t *at;
    const uint8_t *end;
    struct term_sink *sink;
    char
        atom[2 * ETF_ATOM_CHARACTERS]; // a Latin-1 atom as UTF-8; here to keep it off the recursion
};

static int etf_term(struct etf_walk *walk, uint32_t depth);

static size_t etf_left(const struct etf_walk *walk) {
    return (size_t)(walk->end - walk->at);
}

// The next `size` bytes, or NULL when there are fewer.
static const uint8_t *etf_take(struct etf_walk *walk, size_t size) {
    if (etf_left(walk) < size)
        return NULL;
    const uint8_t *taken = walk->at;
    walk->at += size;
    return taken;
}

// A big-endian number of 1, 2 or 4 bytes.
static bool etf_count(struct etf_walk *walk, size_t width, uint32_t *count) {
    const uint8_t *bytes = etf_take(walk, width);
    if (bytes == NULL)
        return false;
    uint32_t value = 0;
    for (size_t i = 0; i < width; i++)
        value = value << 8 | bytes[i];
    *count = value;
    return true;
}

static int etf_integer(struct etf_walk *walk) {
    uint32_t bits;
    if (!etf_count(walk, 4, &bits))
        return TERM_E_CORRUPT;
    int32_t value;
    memcpy(&value, &bits, sizeof value);
    return term_integer(walk->sink, value);
}

// A sign byte and `size` bytes of magnitude, least significant first.
static int etf_big(struct etf_walk *walk, size_t width) {
    uint32_t size;
    if (!etf_count(walk, width, &size))
        return TERM_E_CORRUPT;
    const uint8_t *sign = etf_take(walk, 1);
    const uint8_t *digits = etf_take(walk, size);
    if (sign == NULL || digits == NULL || *sign > 1)
        return TERM_E_CORRUPT;
    while (size > 0 && digits[size - 1] == 0)
        size--;
    if (size > sizeof(uint64_t))
        return TERM_E_TYPE;
    uint64_t magnitude = 0;
    while (size > 0)
        magnitude = magnitude << 8 | digits[--size];
    bool negative = *sign == 1;
    if (magnitude > (uint64_t)INT64_MAX + negative)
        return TERM_E_TYPE;
    uint64_t bits = negative ? 0 - magnitude : magnitude;
    int64_t value;
    memcpy(&value, &bits, sizeof value);
    return term_integer(walk->sink, value);
}

static int etf_float(struct etf_walk *walk) {
    const uint8_t *bytes = etf_take(walk, 8);
    if (bytes == NULL)
        return TERM_E_CORRUPT;
    uint64_t bits = 0;
    for (size_t i = 0; i < 8; i++)
        bits = bits << 8 | bytes[i];
    const uint64_t exponent = (uint64_t)0x7ff << 52; // all ones: an infinity or NaN
    if ((bits & exponent) == exponent)
        return TERM_E_CORRUPT;
    double value;
    memcpy(&value, &bits, sizeof value);
    return term_real(walk->sink, value);
}

// Bytes of the well-formed UTF-8 character at `text`, or 0. Overlong forms and surrogates are not.
static size_t etf_utf8_width(const uint8_t *text, size_t left) {
    uint8_t lead = text[0];
    if (lead < 0x80)
        return 1;
    size_t width = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || left < width)
        return 0;
    for (size_t i = 1; i < width; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    if ((lead == 0xe0 && text[1] < 0xa0) || (lead == 0xed && text[1] > 0x9f))
        return 0;
    if ((lead == 0xf0 && text[1] < 0x90) || (lead == 0xf4 && text[1] > 0x8f))
        return 0;
    return width;
}

static bool etf_is_atom(const uint8_t *text, size_t length) {
    size_t characters = 0;
    for (size_t at = 0; at < length; characters++) {
        size_t width = etf_utf8_width(text + at, length - at);
        if (width == 0)
            return false;
        at += width;
    }
    return characters <= ETF_ATOM_CHARACTERS;
}

static int etf_atom(struct etf_walk *walk, size_t width) {
    uint32_t length;
    if (!etf_count(walk, width, &length))
        return TERM_E_CORRUPT;
    const uint8_t *name = etf_take(walk, length);
    if (name == NULL || !etf_is_atom(name, length))
        return TERM_E_CORRUPT;
    return term_atom(walk->sink, (const char *)name, length);
}

static int etf_latin1_atom(struct etf_walk *walk, size_t width) {
    uint32_t length;
    if (!etf_count(walk, width, &length))
        return TERM_E_CORRUPT;
    const uint8_t *name = etf_take(walk, length);
    if (name == NULL || length > ETF_ATOM_CHARACTERS)
        return TERM_E_CORRUPT;
    size_t size = 0;
    for (size_t i = 0; i < length; i++) {
        if (name[i] < 0x80) {
            walk->atom[size++] = (char)name[i];
        } else {
            walk->atom[size++] = (char)(0xc0 | name[i] >> 6);
            walk->atom[size++] = (char)(0x80 | (name[i] & 0x3f));
        }
    }
    return term_atom(walk->sink, walk->atom, size);
}

static int etf_binary(struct etf_walk *walk) {
    uint32_t length;
    if (!etf_count(walk, 4, &length))
        return TERM_E_CORRUPT;
    const uint8_t *bytes = etf_take(walk, length);
    return bytes == NULL ? TERM_E_CORRUPT : term_bytes(walk->sink, bytes, length);
}

// How term_to_binary writes a list of up to 65535 small integers.
static int etf_string(struct etf_walk *walk, uint32_t depth) {
    uint32_t length;
    if (!etf_count(walk, 2, &length))
        return TERM_E_CORRUPT;
    const uint8_t *bytes = etf_take(walk, length);
    if (bytes == NULL)
        return TERM_E_CORRUPT;
    if (depth == 0)
        return TERM_E_DEPTH;
    int code = term_begin(walk->sink, TERM_LIST, length);
    for (size_t i = 0; code == 0 && i < length; i++)
        code = term_integer(walk->sink, bytes[i]);
    return code == 0 ? term_end(walk->sink, TERM_LIST, length) : code;
}

static int etf_nil(struct etf_walk *walk, uint32_t depth) {
    if (depth == 0)
        return TERM_E_DEPTH;
    int code = term_begin(walk->sink, TERM_LIST, 0);
    return code == 0 ? term_end(walk->sink, TERM_LIST, 0) : code;
}

static bool etf_is_tag(uint8_t tag) {
    switch (tag) {
    case ETF_NEW_FLOAT:
    case ETF_SMALL_INTEGER:
    case ETF_INTEGER:
    case ETF_ATOM:
    case ETF_SMALL_TUPLE:
    case ETF_LARGE_TUPLE:
    case ETF_NIL:
    case ETF_STRING:
    case ETF_LIST:
    case ETF_BINARY:
    case ETF_SMALL_BIG:
    case ETF_LARGE_BIG:
    case ETF_SMALL_ATOM:
    case ETF_MAP:
    case ETF_ATOM_UTF8:
    case ETF_SMALL_ATOM_UTF8:
    case ETF_BIT_BINARY:
    case ETF_NEW_PID:
    case ETF_NEW_PORT:
    case ETF_NEWER_REFERENCE:
    case ETF_FLOAT:
    case ETF_REFERENCE:
    case ETF_PORT:
    case ETF_PID:
    case ETF_NEW_FUN:
    case ETF_EXPORT:
    case ETF_NEW_REFERENCE:
    case ETF_FUN:
    case ETF_V4_PORT:
    case ETF_LOCAL:
        return true;
    default:
        return false;
    }
}

// What follows a list's elements must be NIL.
static int etf_tail(struct etf_walk *walk) {
    const uint8_t *tag = etf_take(walk, 1);
    if (tag == NULL)
        return TERM_E_CORRUPT;
    if (*tag == ETF_NIL)
        return TERM_OK;
    return etf_is_tag(*tag) ? TERM_E_TYPE : TERM_E_CORRUPT;
}

static int etf_container(struct etf_walk *walk, enum term_kind kind, size_t width, uint32_t depth) {
    uint32_t n;
    if (!etf_count(walk, width, &n))
        return TERM_E_CORRUPT;
    // The smallest term is one byte, so each element that was promised must have one left.
    if (n > (kind == TERM_MAP ? etf_left(walk) / 2 : etf_left(walk)))
        return TERM_E_CORRUPT;
    if (depth == 0)
        return TERM_E_DEPTH;
    size_t terms = kind == TERM_MAP ? (size_t)n * 2 : n;
    int code = term_begin(walk->sink, kind, n);
    while (code == 0 && terms-- > 0)
        code = etf_term(walk, depth - 1);
    if (code == 0 && kind == TERM_LIST)
        code = etf_tail(walk);
    return code == 0 ? term_end(walk->sink, kind, n) : code;
}

static int etf_term(struct etf_walk *walk, uint32_t depth) {
    const uint8_t *tag = etf_take(walk, 1);
    if (tag == NULL)
        return TERM_E_CORRUPT;
    switch (*tag) {
    case ETF_SMALL_INTEGER: {
        const uint8_t *value = etf_take(walk, 1);
        return value == NULL ? TERM_E_CORRUPT : term_integer(walk->sink, *value);
    }
    case ETF_INTEGER:
        return etf_integer(walk);
    case ETF_SMALL_BIG:
        return etf_big(walk, 1);
    case ETF_LARGE_BIG:
        return etf_big(walk, 4);
    case ETF_NEW_FLOAT:
        return etf_float(walk);
    case ETF_SMALL_ATOM_UTF8:
        return etf_atom(walk, 1);
    case ETF_ATOM_UTF8:
        return etf_atom(walk, 2);
    case ETF_SMALL_ATOM:
        return etf_latin1_atom(walk, 1);
    case ETF_ATOM:
        return etf_latin1_atom(walk, 2);
    case ETF_BINARY:
        return etf_binary(walk);
    case ETF_STRING:
        return etf_string(walk, depth);
    case ETF_NIL:
        return etf_nil(walk, depth);
    case ETF_LIST:
        return etf_container(walk, TERM_LIST, 4, depth);
    case ETF_SMALL_TUPLE:
        return etf_container(walk, TERM_TUPLE, 1, depth);
    case ETF_LARGE_TUPLE:
        return etf_container(walk, TERM_TUPLE, 4, depth);
    case ETF_MAP:
        return etf_container(walk, TERM_MAP, 4, depth);
    default:
        return etf_is_tag(*tag) ? TERM_E_TYPE : TERM_E_CORRUPT;
    }
}

static int etf_walk(struct term_source *source, struct term_sink *sink) {
    const struct etf_reader *reader = (const struct etf_reader *)source;
    if (reader->length == 0 || reader->data[0] != ETF_VERSION)
        return TERM_E_CORRUPT;
    struct etf_walk walk;
    walk.at = reader->data + 1;
    walk.end = reader->data + reader->length;
    walk.sink = sink;
    // Only the whole term can be compressed; further inside the tag means nothing.
    if (walk.at < walk.end && *walk.at == ETF_COMPRESSED)
        return TERM_E_TYPE;
    int code = etf_term(&walk, reader->depth);
    return code == 0 && walk.at != walk.end ? TERM_E_CORRUPT : code;
}

void etf_reader_init(struct etf_reader *reader, const void *data, size_t length, uint32_t depth) {
    reader->source.walk = etf_walk;
    reader->data = data;
    reader->length = length;
    reader->depth = depth;
}
