// SPDX-License-Identifier: Apache-2.0
// What a Lua program did, in a form in which two runs of it can be compared: how it ended, and the
// lines that it wrote down on the way, into the global table LOG. One run is stock Lua's, the other
// the sandbox's.
#ifndef TRIPOD_FUZZ_ANSWER_H
#define TRIPOD_FUZZ_ANSWER_H

#include "rig.h"
#include "term.h"

#include <stdbool.h>
#include <stddef.h>

enum answer_end {
    ANSWER_OK,
    ANSWER_ERROR, // the program ended with an error that it did not catch
    ANSWER_LIMIT, // it was ended
};

struct answer {
    enum answer_end end;
    char *text; // the error's message, if there is one, and a line for each string in LOG
    size_t length, capacity;
};

void answer_init(struct answer *answer);
void answer_release(struct answer *answer);
void answer_add(struct answer *answer, const char *bytes, size_t length);

// The same end and the same text.
bool answer_agree(const struct answer *a, const struct answer *b);

// Reads a reply of the Lua service into an answer: the message of {error, {lua, #{message, ...}}},
// or, if `results`, every binary of {ok, _}. Results that cannot cross are no error of the program.
struct answer_sink {
    struct term_sink sink;
    struct answer *answer;
    bool results;
    unsigned atoms;
    bool wanted; // of an error, the next binary
};

struct answer_sink answer_sink(struct answer *answer, bool results);

// Runs the program in a fresh box; what it left in LOG is part of the answer unless it was ended.
void answer_of_box(struct answer *answer, const struct rig_plan *plan, const char *program,
                   size_t length);

#endif
