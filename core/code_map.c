// SPDX-License-Identifier: Apache-2.0
#include "code_map.h"

#include <link.h>

struct code_search {
    struct code_map *map;
    uintptr_t address;
    bool found;
};

static struct code_span code_segment(const struct dl_phdr_info *object, size_t i) {
    uintptr_t from = object->dlpi_addr + object->dlpi_phdr[i].p_vaddr;
    return (struct code_span){from, from + object->dlpi_phdr[i].p_memsz};
}

static bool code_is_executable(const struct dl_phdr_info *object, size_t i) {
    return object->dlpi_phdr[i].p_type == PT_LOAD && (object->dlpi_phdr[i].p_flags & PF_X);
}

static int code_look_at(struct dl_phdr_info *object, size_t size, void *data) {
    struct code_search *search = data;
    struct code_map *map = search->map;
    size_t used = map->used;
    bool holds = false;
    (void)size;
    for (size_t i = 0; i < object->dlpi_phnum; i++) {
        if (!code_is_executable(object, i))
            continue;
        struct code_span span = code_segment(object, i);
        holds = holds || (search->address >= span.from && search->address < span.to);
        if (used == CODE_MAP_SPANS)
            return 0;
        map->spans[used++] = span;
    }
    if (holds) {
        map->used = used;
        search->found = true;
    }
    return holds;
}

bool code_map_add(struct code_map *map, uintptr_t address) {
    struct code_search search = {.map = map, .address = address};
    (void)dl_iterate_phdr(code_look_at, &search);
    return search.found;
}

bool code_map_add_span(struct code_map *map, uintptr_t from, uintptr_t to) {
    if (map->used == CODE_MAP_SPANS)
        return false;
    map->spans[map->used++] = (struct code_span){from, to};
    return true;
}
