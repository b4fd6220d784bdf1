// SPDX-License-Identifier: Apache-2.0
// __SANITIZE_THREAD__, which gcc defines in a program that ThreadSanitizer watches, for clang too.
#ifndef TRIPOD_TEST_TSAN_H
#define TRIPOD_TEST_TSAN_H

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define __SANITIZE_THREAD__ 1
#endif
#endif

#endif
