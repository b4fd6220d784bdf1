// SPDX-License-Identifier: Apache-2.0
// The same Lua program in stock Lua and in the sandbox: what it saw, and how it ended, must be the
// same, error messages included. In half of the runs the sandbox's call pauses all the time, out of
// coroutines, metamethods, pcall and loops in C; that must not change anything either.
//
//   byte 0   how often the call pauses: 0 to 127 never, else every so many looks
//   others   decisions of program_grammar.h
//
// A program whose answer stock Lua itself changes with the seed of its hashes (the order of keys,
// what is left of a removed one, which of its borders a table with holes has) says nothing. The
// grammar makes few of those; they are found out when the answers differ, and counted.
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

// Of so many programs, one may show how its state hashes; more is a fault of the grammar.
#define PROGRAMS_PER_ORDER 500ul
#define ORDERS_ANYWAY      20ul

static struct { unsigned long programs, skipped, ordered, paused, failed; } count;

static void count_print(void) {
    double percent = 100.0 / (double)count.programs;
    fprintf(stderr,
            "note: %lu programs, not compared: %lu (%.2f %%) that stock Lua's limits ended, "
            "%lu (%.3f %%) that stock Lua itself answers in two ways\n"
            "note: with pauses: %lu, ended by an error: %lu\n",
            count.programs, count.skipped, percent * (double)count.skipped, count.ordered,
            percent * (double)count.ordered, count.paused, count.failed);
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

static void stock_run_at(const struct program *program, unsigned place, struct answer *answer) {
    const struct stock_bounds bounds = {STOCK_INSTRUCTIONS, STOCK_BYTES, place};
    answer_init(answer);
    stock_run(program->text, program->length, &bounds, answer);
}

// Is there a state of stock Lua's that gives another answer?
static bool order_decides(const struct program *program, const struct answer *stock) {
    bool same = true;
    for (unsigned place = 1; place < STOCK_PLACES && same; place++) {
        struct answer other;
        stock_run_at(program, place, &other);
        same = answer_agree(stock, &other);
        answer_release(&other);
    }
    return !same;
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
    static struct program program;
    if (count.programs++ == 0)
        (void)atexit(count_print);
    if (size == 0)
        return 0;
    program_generate(&program, data + 1, size - 1);
    struct answer stock, sandbox;
    answer_init(&sandbox);
    stock_run_at(&program, 0, &stock);
    if (stock.end != ANSWER_LIMIT)
        sandbox_run(&program, pauses_of(data[0]), &sandbox);
    bool limited = stock.end == ANSWER_LIMIT;
    count.skipped += limited ? 1 : 0;
    count.paused += pauses_of(data[0]) != 0 ? 1 : 0;
    count.failed += stock.end == ANSWER_ERROR ? 1 : 0;
    bool agree = limited || answer_agree(&stock, &sandbox);
    bool ordered = !agree && order_decides(&program, &stock);
    count.ordered += ordered ? 1 : 0;
    rig_require(count.ordered <= ORDERS_ANYWAY + count.programs / PROGRAMS_PER_ORDER,
                "few programs show how their state hashes");
    agree = agree || ordered;
    if (!agree || getenv("PROGRAM_SHOW") != NULL)
        show(&program, &stock, &sandbox);
    rig_require(agree, "stock Lua and the sandbox agree");
    answer_release(&stock);
    answer_release(&sandbox);
    return 0;
}
