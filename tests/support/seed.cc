#include "support/seed.h"

#include <cstdio>
#include <cstdlib>
#include <random>

namespace hawser::test {

std::uint64_t seed_of_this_run() {
  const char* given = std::getenv("HAWSER_TEST_SEED");
  const std::uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
  std::printf("HAWSER_TEST_SEED=%llu\n", static_cast<unsigned long long>(seed));
  return seed;
}

}  // namespace hawser::test
