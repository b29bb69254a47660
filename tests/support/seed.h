// The seed of a random test.
#pragma once

#include <cstdint>

namespace hawser::test {

// Another one each time; HAWSER_TEST_SEED=n runs the same one again. Printed, for that.
std::uint64_t seed_of_this_run();

}  // namespace hawser::test
