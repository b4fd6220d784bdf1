// SPDX-License-Identifier: Apache-2.0
// A host for tests: counts what is alive, checks that `old` is exact, and can fail one allocation.
#ifndef TRIPOD_TEST_HOST_H
#define TRIPOD_TEST_HOST_H

#include "service.h"

#include <stdio.h>
#include <stdlib.h>

struct test_host {
    struct service_host host;
    size_t live_bytes;
    size_t requests; // allocations and growths asked for
    size_t fail_at;  // this request, counted from 1, gets NULL; 0: none does
    _Atomic(uint32_t) stop;
};

static inline void *test_host_memory(void *context, void *block, size_t old, size_t size) {
    struct test_host *host = context;
    // Every growth moves, so that a pointer kept across one is noticed by valgrind and ASan.
    size_t *header = block == NULL ? NULL : (size_t *)block - 2;
    if ((header == NULL ? 0 : header[0]) != old) {
        fprintf(stderr, "memory(): old is %zu, the block has %zu bytes\n", old,
                header == NULL ? 0 : header[0]);
        abort();
    }
    size_t *moved = NULL;
    if (size > 0) {
        host->requests++;
        if (host->requests == host->fail_at)
            return NULL;
        moved = malloc(2 * sizeof(size_t) + size);
        if (moved == NULL)
            abort();
        moved[0] = size;
        for (size_t i = 0; i < old && i < size; i++)
            ((char *)(moved + 2))[i] = ((char *)block)[i];
    }
    free(header);
    host->live_bytes = host->live_bytes - old + size;
    return moved == NULL ? NULL : moved + 2;
}

static inline void test_host_init(struct test_host *host) {
    *host = (struct test_host){
        .host = {.context = host, .memory = test_host_memory, .stop = &host->stop}};
}

#endif
