// How many threads a process may have.
#pragma once

#include <cstddef>

namespace hawser::test {

// So many more than now, and no way back: for a process that is about to end, as a death test's.
// It becomes a user of its own, since the kernel lets root have any number. False: it cannot.
bool allow_threads(std::size_t more);

// What a death test's process exits with where allow_threads() gave false.
inline constexpr int kCannotLimitThreads = 77;

}  // namespace hawser::test
