// Which sanitizer this program was linked with: what takes a second takes ten under one, and the
// thread sanitizer sees no other process. Asked at run time, since the tests' objects may have been
// compiled for another build.
#pragma once

extern "C" __attribute__((weak)) void __asan_init();
extern "C" __attribute__((weak)) void __tsan_init();

namespace hawser::test {

inline const bool kThreadSanitizer = &__tsan_init != nullptr;
inline const bool kAddressSanitizer = &__asan_init != nullptr;
inline const bool kSanitized = kThreadSanitizer || kAddressSanitizer;

}  // namespace hawser::test
