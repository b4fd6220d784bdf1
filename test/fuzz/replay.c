// SPDX-License-Identifier: Apache-2.0
// Runs a fuzzer's function on files, in libFuzzer's place, where that is not at hand: the corpus as
// a test. Links with any compiler.
//
//   NAME_fuzz FILE...
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>

static void replay(const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        perror(path);
        exit(2);
    }
    long size = ftell(file);
    rewind(file);
    // Exactly as large as the input, so that a read past its end is noticed.
    uint8_t *data = malloc(size > 0 ? (size_t)size : 1);
    if (data == NULL || size < 0 || fread(data, 1, (size_t)size, file) != (size_t)size) {
        perror(path);
        exit(2);
    }
    (void)fclose(file);
    fprintf(stderr, "%s\n", path);
    (void)LLVMFuzzerTestOneInput(data, (size_t)size);
    free(data);
}

int main(int count, char **paths) {
    for (int i = 1; i < count; i++)
        replay(paths[i]);
    fprintf(stderr, "replayed %d inputs\n", count - 1);
    return count > 1 ? 0 : 2;
}
