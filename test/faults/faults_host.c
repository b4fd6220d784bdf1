// SPDX-License-Identifier: Apache-2.0
// Faults with memory of the host's: what enif_alloc and driver_alloc return, in a VM. And one that
// only UBSan can see.
#include "faults.h"

#include <limits.h>

#define HOST_LEAKED_BYTES ((size_t)8 * 1024 * 1024)
#define HOST_BLOCK_BYTES  ((size_t)40)

static unsigned char *host_block(const struct faults_call *call, size_t size) {
    const struct service_host *host = call->host;
    return host->memory(host->context, NULL, 0, size);
}

static void host_free(const struct faults_call *call, void *block) {
    const struct service_host *host = call->host;
    (void)host->memory(host->context, block, HOST_BLOCK_BYTES, 0);
}

// The census counts it, and the service never gives it back.
int faults_host_leak(const struct faults_call *call) {
    volatile unsigned char *block = host_block(call, HOST_LEAKED_BYTES);
    if (block != NULL)
        for (size_t i = 0; i < HOST_LEAKED_BYTES; i++)
            block[i] = 0x41;
    return faults_survived(call);
}

int faults_host_overrun(const struct faults_call *call) {
    unsigned char *block = host_block(call, HOST_BLOCK_BYTES);
    volatile size_t past = HOST_BLOCK_BYTES;
    if (block != NULL) {
        ((volatile unsigned char *)block)[past] = 0x41;
        host_free(call, block);
    }
    return faults_survived(call);
}

int faults_host_double_free(const struct faults_call *call) {
    void *volatile block = host_block(call, HOST_BLOCK_BYTES);
    if (block != NULL) {
        host_free(call, block);
        host_free(call, block);
    }
    return faults_survived(call);
}

int faults_undefined(const struct faults_call *call) {
    volatile int most = INT_MAX;
    volatile int more = most + 1;
    (void)more;
    return faults_survived(call);
}
