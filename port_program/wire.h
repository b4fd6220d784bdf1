// SPDX-License-Identifier: Apache-2.0
// The bytes on the two pipes between the VM and the program.
//
// A frame is Length:16 followed by that many bytes, which is what {packet, 2} reads and writes, so
// no frame can make the VM allocate more than 64 KiB. Longer messages are cut into frames that say
// where they belong; numbers are unsigned and big-endian.
//
//   VM -> program
//     REQUEST    1, Id:32, TimeMs:32, Total:32, Bytes   a request of Total bytes begins
//     MORE       2, Id:32, Bytes                        its next bytes
//     INTERRUPT  3, Id:32                               ends the oldest unanswered request if it
//                                                       came before this frame and is not younger
//                                                       than Id; otherwise means nothing
//     USAGE      4, Id:32                               a request that the program itself answers
//   program -> VM
//     HELLO      0, Version:16, ServiceAbi:16           once: the instance is open
//     REPLY      1, Id:32, Total:32, Bytes              the reply of Total bytes begins
//     MORE       2, Id:32, Bytes                        its next bytes
//
// Request and reply are one term each in external term format. TimeMs replaces the box's time limit
// for this request, 0 keeps it. The frames of one request follow each other, except that an
// INTERRUPT may come anywhere. Requests are answered in the order in which they came. A reply to
// USAGE is {ok, {Bytes, PeakBytes, Calls, LiveBytes}}. After the reply {error, {down, Why}} the
// program ends. Anything else from the VM ends it with EXIT_CODE_PROTOCOL; end of file ends it with
// EXIT_CODE_END at any point, also within a frame or a call.
//
// Knows neither the box nor what a term is. One thread; blocks only where it says so.
#ifndef TRIPOD_WIRE_H
#define TRIPOD_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_VERSION     1u
#define WIRE_FRAME_BYTES 65535u
// Frames that came while a call runs wait here. When it is full the rest stays in the pipe.
#define WIRE_AHEAD_BYTES (4u * (2u + WIRE_FRAME_BYTES))
// What wire_reply needs in front of the reply's bytes: length, kind, id, total.
#define WIRE_HEADROOM 11u

enum wire_kind {
    WIRE_HELLO = 0,
    WIRE_REQUEST = 1,
    WIRE_REPLY = 1,
    WIRE_MORE = 2,
    WIRE_INTERRUPT = 3,
    WIRE_USAGE = 4,
};

struct wire_in {
    int fd;
    bool held;      // a frame handed out is still in use: nothing before `begin` may move
    size_t begin;   // first byte not handed out
    size_t scanned; // frames before this one are known not to be INTERRUPT
    size_t end;     // end of what was read
    uint8_t data[WIRE_AHEAD_BYTES];
};

struct wire_frame {
    enum wire_kind kind;
    uint32_t id;
    uint32_t time_ms; // of REQUEST
    uint32_t total;   // of REQUEST
    const uint8_t *bytes;
    size_t length;
};

enum wire_result {
    WIRE_OK,
    WIRE_NONE,   // no complete frame has come yet
    WIRE_END,    // the other side is gone
    WIRE_BROKEN, // not the grammar above
};

// The next frame, whose bytes stay valid until wire_next or wire_release is called.
// WIRE_OK, WIRE_NONE or WIRE_BROKEN.
enum wire_result wire_next(struct wire_in *in, struct wire_frame *frame);
// The frame handed out last is no longer needed.
void wire_release(struct wire_in *in);
// Whether wire_fill would have room to read into.
bool wire_room(const struct wire_in *in);
// One read; there must be room. Blocks until something comes. WIRE_OK or WIRE_END.
enum wire_result wire_fill(struct wire_in *in);
// Takes the INTERRUPT frames out of what has come but was not handed out. True: one of them means
// request `id`, which has been handed out and is not answered.
bool wire_take_interrupts(struct wire_in *in, uint32_t id);
// Whether an INTERRUPT with `interrupt_id` may end request `id`: it is not younger. Ids wrap.
bool wire_interrupts(uint32_t interrupt_id, uint32_t id);

// Blocks until written. WIRE_OK or WIRE_END.
enum wire_result wire_hello(int fd, uint32_t service_abi);
// Writes `length` bytes as one reply. They begin at data + WIRE_HEADROOM; what is in front of them
// is overwritten. Blocks until written; one system call if the pipe takes it. WIRE_OK or WIRE_END.
enum wire_result wire_reply(int fd, uint32_t id, uint8_t *data, size_t length);

#endif
