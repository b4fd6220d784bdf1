// SPDX-License-Identifier: Apache-2.0
// The same Lua program in stock Lua and in the sandbox: what it saw, and how it ended, must be the
// same, error messages included. In half of the runs the sandbox's call pauses all the time, out of
// coroutines, metamethods, pcall and loops in C; that must not change anything either.
//
//   byte 0   how often the call pauses: 0 to 127 never, else every so many looks
//   others   decisions of program_grammar.h
//
// PROGRAM_SHOW=1 in the environment prints each program and both answers.
#include "answer.h"
#include "program_grammar.h"
#include "rig.h"
#include "stock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STOCK_INSTRUCTIONS 300000ul
#define STOCK_BYTES        ((size_t)4 * 1024 * 1024)

static struct { unsigned long programs, skipped, paused, failed; } count;

static void count_print(void) {
    double share = count.programs == 0 ? 0 : 100.0 * (double)count.skipped / (double)count.programs;
    fprintf(
        stderr,
        "note: %lu programs, ended by a limit: %lu (%.2f %%), with pauses: %lu, by an error: %lu\n",
        count.programs, count.skipped, share, count.paused, count.failed);
}

static uint32_t pauses_of(uint8_t byte) {
    return byte < 128 ? 0 : byte < 224 ? 2 : 3 + byte % 8u;
}

static void sandbox_run(const struct program *program, uint32_t pause_every,
                        struct answer *answer) {
    const struct rig_plan plan = {
        .memory_bytes = 4 * STOCK_BYTES,
        .reply_bytes = STOCK_BYTES,
        .looks = 1000 * STOCK_INSTRUCTIONS,
        .pause_every = pause_every,
        .depth = 200,
    };
    answer_of_box(answer, &plan, program->text, program->length);
}

static void show_answer(const char *who, const struct answer *answer) {
    static const char *const ends[] = {"ok", "error", "limit"};
    fprintf(stderr, "---- %s: %s\n", who, ends[answer->end]);
    if (answer->length > 0)
        (void)fwrite(answer->text, 1, answer->length, stderr);
}

static void show(const struct program *program, const struct answer *stock,
                 const struct answer *sandbox) {
    fprintf(stderr, "%s\n", program->text);
    show_answer("stock", stock);
    show_answer("sandbox", sandbox);
    fprintf(stderr, "----\n");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct stock_bounds bounds = {STOCK_INSTRUCTIONS, STOCK_BYTES};
    static struct program program;
    if (count.programs++ == 0)
        (void)atexit(count_print);
    if (size == 0)
        return 0;
    program_generate(&program, data + 1, size - 1);
    struct answer stock, sandbox;
    answer_init(&stock);
    answer_init(&sandbox);
    stock_run(program.text, program.length, &bounds, &stock);
    if (stock.end != ANSWER_LIMIT)
        sandbox_run(&program, pauses_of(data[0]), &sandbox);
    bool limited = stock.end == ANSWER_LIMIT;
    count.skipped += limited ? 1 : 0;
    count.paused += pauses_of(data[0]) != 0 ? 1 : 0;
    count.failed += stock.end == ANSWER_ERROR ? 1 : 0;
    bool agree = limited || answer_agree(&stock, &sandbox);
    if (!agree || getenv("PROGRAM_SHOW") != NULL)
        show(&program, &stock, &sandbox);
    rig_require(agree, "stock Lua and the sandbox agree");
    answer_release(&stock);
    answer_release(&sandbox);
    return 0;
}
