// SPDX-License-Identifier: Apache-2.0
// The services built into this artefact. A service of your own is one line here and one in the
// Makefile's SERVICES.
#include "service.h"

#include <string.h>

extern const struct service lua_service;
extern const struct service echo_service;
#ifdef TRIPOD_FAULTS
extern const struct service faults_service; // test/faults: misbehaves on request; never shipped
#endif

static const struct service *const services[] = {
    &lua_service,
    &echo_service,
#ifdef TRIPOD_FAULTS
    &faults_service,
#endif
};

const struct service *service_find(const char *name, size_t length) {
    for (size_t i = 0; i < sizeof services / sizeof services[0]; i++)
        if (strlen(services[i]->name) == length && memcmp(services[i]->name, name, length) == 0)
            return services[i];
    return NULL;
}
