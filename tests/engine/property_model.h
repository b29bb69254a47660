// Random transfers against a model of what memory must then be.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include "engine/fixture.h"

namespace hawser::test {

// A piece of memory on each side, what both must hold, and one transfer at a time between them. Of
// one thread.
class ModelledPair {
 public:
  ModelledPair(Engine& client, Engine& server, const Variant& variant, std::uint64_t tag,
               std::uint64_t seed);

  // Begins a random transfer; it may be cancelled, or have a time limit.
  void begin(const Links& links);
  // Cancels it, or not.
  void maybe_cancel();
  // Waits for it, and checks all of the memory.
  void finish_and_check();
  // New memory, in new regions.
  void renew();

 private:
  struct Side {
    std::unique_ptr<Piece> piece;
    std::vector<std::byte> model;
  };
  struct Plan {
    bool outwards = false;        // data goes from the client to the server
    std::vector<Extent> sources;  // of a one-sided transfer each goes to the sink of its place
    std::vector<Extent> sinks;
  };

  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  std::uint64_t some_length();
  std::vector<Extent> cut(std::uint64_t bytes);
  void plan_blocks();
  void plan_message();
  void apply();
  void check(Side& side);
  Side& source() { return plan_.outwards ? near_ : far_; }
  Side& sink() { return plan_.outwards ? far_ : near_; }

  Engine& client_;
  Engine& server_;
  const Variant variant_;
  const std::uint64_t tag_;
  std::mt19937_64 random_;
  Side near_, far_;
  Plan plan_;
  bool message_ = false;
  bool may_fail_ = false;
  bool receive_cancelled_ = false;
  Transfer transfer_, other_;
};

}  // namespace hawser::test
