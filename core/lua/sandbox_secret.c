// SPDX-License-Identifier: Apache-2.0
// What a script must not be able to guess: the keys that mask addresses, and seeds. One secret per
// process, read once; a cipher in counter mode makes the stream of it, so that neither an open box
// nor a seed that was shown tells anything about another one.
//
// The cipher is Speck (Beaulieu et al., "The SIMON and SPECK Families of Lightweight Block
// Ciphers", 2013) with four key words: 48/96 and 64/128. It is small, and fast without tables.
#include "sandbox.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

static pthread_once_t secret_once = PTHREAD_ONCE_INIT;
static uint64_t secret_key[2]; // written once, by secret_read
static _Atomic(uint64_t) secret_next;

#define SECRET_ROUNDS_MAX 27u

uint64_t sandbox_encipher(const uint64_t key[2], uint64_t block, unsigned half_bits) {
    uint32_t mask = half_bits == 32 ? UINT32_MAX : (UINT32_C(1) << half_bits) - 1;
    unsigned rounds = half_bits == 32 ? SECRET_ROUNDS_MAX : 23;
    unsigned back = half_bits - 8, forth = half_bits - 3;
    uint32_t left = (uint32_t)(block >> half_bits) & mask;
    uint32_t right = (uint32_t)block & mask;
    uint32_t round_key = (uint32_t)key[0] & mask;
    uint32_t words[SECRET_ROUNDS_MAX + 3] = {
        (uint32_t)(key[0] >> 32) & mask, (uint32_t)key[1] & mask, (uint32_t)(key[1] >> 32) & mask};
    for (unsigned i = 0; i < rounds; i++) {
        left = ((((left >> 8) | (left << back)) + right) & mask) ^ round_key;
        right = (((right << 3) | (right >> forth)) & mask) ^ left;
        uint32_t word = words[i];
        word = ((((word >> 8) | (word << back)) + round_key) & mask) ^ i;
        words[i + 3] = word;
        round_key = (((round_key << 3) | (round_key >> forth)) & mask) ^ word;
    }
    return (uint64_t)left << half_bits | right;
}

// Without a source of random numbers: what changes from process to process, stirred. It is not to
// be called a secret, but where a process has no /dev/urandom there is little else.
static void secret_improvise(void) {
    struct timespec now = {0, 0};
    (void)timespec_get(&now, TIME_UTC);
    uint64_t parts[2] = {(uint64_t)now.tv_sec << 30 ^ (uint64_t)now.tv_nsec ^ (uint64_t)clock(),
                         (uint64_t)(uintptr_t)&now ^ (uint64_t)(uintptr_t)secret_improvise << 16};
    for (unsigned i = 0; i < 4; i++) {
        uint64_t stirred = sandbox_encipher(parts, parts[i % 2] + i, 32);
        parts[i % 2] ^= stirred;
    }
    secret_key[0] ^= parts[0];
    secret_key[1] ^= parts[1];
}

// Unbuffered, so that no copy stays behind; `e` because the process may start others meanwhile.
static void secret_read(void) {
    FILE *source = fopen("/dev/urandom", "rbe");
    bool whole = false;
    if (source != NULL) {
        (void)setvbuf(source, NULL, _IONBF, 0);
        whole = fread(secret_key, sizeof secret_key, 1, source) == 1;
        (void)fclose(source);
    }
    if (!whole)
        secret_improvise();
}

void sandbox_prepare_secret(void) {
    (void)pthread_once(&secret_once, secret_read);
}

uint64_t sandbox_secret(void) {
    uint64_t n = atomic_fetch_add_explicit(&secret_next, 1, memory_order_relaxed);
    return sandbox_encipher(secret_key, n, 32);
}
