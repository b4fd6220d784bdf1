// SPDX-License-Identifier: Apache-2.0
// The echo service: answers {ok, Request}. The control in every measurement, because whatever a
// call to it costs is what the strategy costs; and the smallest complete service to copy from.
//
// The request is kept as external term format between begin and step, because a source is only
// valid during begin.
#include "etf.h"
#include "service.h"

#include <string.h>

struct echo {
    const struct service_host *host;
    const struct service_limits *limits;
    struct etf_writer kept;
    int refused; // the code that ended the walk of the request
};

static int echo_open(const struct service_host *host, const struct service_limits *limits,
                     void **state) {
    struct echo *echo = host->memory(host->context, NULL, 0, sizeof *echo);
    if (echo == NULL)
        return SERVICE_E_SYSTEM;
    memset(echo, 0, sizeof *echo);
    echo->host = host;
    echo->limits = limits;
    etf_writer_init(&echo->kept, host, 0, limits->reply_bytes);
    *state = echo;
    return 0;
}

static int echo_begin(void *state, struct term_source *request) {
    struct echo *echo = state;
    etf_writer_reset(&echo->kept);
    echo->refused = term_walk(request, &echo->kept.sink);
    return echo->refused == TERM_E_LATER ? TERM_E_LATER : 0;
}

static const char *echo_refusal(int code, const char **what) {
    *what = "reply";
    switch (code) {
    case TERM_E_MEMORY:
        *what = "memory";
        return "limit";
    case TERM_E_SIZE:
        return "limit";
    case TERM_E_DEPTH:
        *what = "depth";
        return "limit";
    default:
        return "badterm";
    }
}

static int echo_refuse(int refused, struct term_sink *reply) {
    const char *what;
    const char *kind = echo_refusal(refused, &what);
    int code = term_begin(reply, TERM_TUPLE, 2);
    if (code == 0)
        code = TERM_ATOM(reply, "error");
    if (code == 0)
        code = term_begin(reply, TERM_TUPLE, 2);
    if (code == 0)
        code = term_atom(reply, kind, strlen(kind));
    if (code == 0 && strcmp(kind, "limit") == 0) {
        code = term_atom(reply, what, strlen(what));
    } else if (code == 0) {
        code = term_begin(reply, TERM_LIST, 0); // echo does not know where in the request it was
        if (code == 0)
            code = term_end(reply, TERM_LIST, 0);
    }
    if (code == 0)
        code = term_end(reply, TERM_TUPLE, 2);
    return code < 0 ? code : term_end(reply, TERM_TUPLE, 2);
}

static int echo_step(void *state, struct term_sink *reply) {
    struct echo *echo = state;
    if (echo->refused < 0)
        return echo_refuse(echo->refused, reply);
    struct etf_reader reader;
    etf_reader_init(&reader, echo->kept.data, echo->kept.length, ETF_WRITER_DEPTH);
    int code = term_begin(reply, TERM_TUPLE, 2);
    if (code == 0)
        code = TERM_ATOM(reply, "ok");
    if (code == 0)
        code = term_walk(&reader.source, reply);
    return code < 0 ? code : term_end(reply, TERM_TUPLE, 2);
}

static void echo_usage(const void *state, struct service_usage *usage) {
    const struct echo *echo = state;
    usage->live_bytes = sizeof *echo + echo->kept.capacity;
}

static void echo_close(void *state) {
    struct echo *echo = state;
    etf_writer_release(&echo->kept);
    (void)echo->host->memory(echo->host->context, echo, sizeof *echo, 0);
}

const struct service echo_service = {
    .abi = SERVICE_ABI,
    .name = "echo",
    .open = echo_open,
    .begin = echo_begin,
    .step = echo_step,
    .usage = echo_usage,
    .close = echo_close,
};
