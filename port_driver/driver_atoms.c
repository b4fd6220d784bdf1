// SPDX-License-Identifier: Apache-2.0
#include "driver_atoms.h"

#include <string.h>

#define ATOM_MAX_CHARACTERS ((size_t)255)

struct known {
    char *name;
    size_t length;
    ErlDrvTermData atom; // written by driver_atoms_init
};

#define KNOWN(name)                                                                                \
    { name, sizeof(name) - 1, 0 }

// The most frequent first: the search is linear.
static struct known known[] = {
    KNOWN("ok"),     KNOWN("nil"),       KNOWN("true"),      KNOWN("false"),       KNOWN("error"),
    KNOWN("lua"),    KNOWN("message"),   KNOWN("traceback"), KNOWN("limit"),       KNOWN("time"),
    KNOWN("memory"), KNOWN("depth"),     KNOWN("reply"),     KNOWN("interrupted"), KNOWN("badterm"),
    KNOWN("closed"), KNOWN("not_owner"), KNOWN("down"),      KNOWN("unsupported"),
};

#define KNOWN_COUNT (sizeof known / sizeof known[0])

void driver_atoms_init(void) {
    for (size_t i = 0; i < KNOWN_COUNT; i++)
        known[i].atom = driver_mk_atom(known[i].name);
}

// driver_mk_atom reads Latin-1 up to a NUL.
static bool is_plain(const char *name, size_t length) {
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)name[i] >= 0x80 || name[i] == '\0')
            return false;
    return true;
}

bool driver_atom(const char *name, size_t length, ErlDrvTermData *atom) {
    for (size_t i = 0; i < KNOWN_COUNT; i++) {
        if (known[i].length == length && memcmp(known[i].name, name, length) == 0) {
            *atom = known[i].atom;
            return true;
        }
    }
    if (length > ATOM_MAX_CHARACTERS || !is_plain(name, length))
        return false;
    char terminated[ATOM_MAX_CHARACTERS + 1];
    memcpy(terminated, name, length);
    terminated[length] = '\0';
    *atom = driver_mk_atom(terminated);
    return true;
}
