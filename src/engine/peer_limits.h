// What peers may make an engine keep: bytes by link, by address and in all; links, channels and
// descriptors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/budget.h"
#include "base/result.h"

namespace hawser::engine {

// "192.0.2.7" of "192.0.2.7:20000".
std::string address_of_peer(const std::string& peer);

// Thread-safe.
class PeerLimits {
 public:
  // As the parameters say.
  static Result<std::unique_ptr<PeerLimits>> create();

  // For all that one link's peer says.
  std::shared_ptr<Budget> for_link(const std::string& peer);

  std::size_t channels_of_link() const { return numbers_.channels; }

  // What links that came here have already: of one address, and in all.
  struct Taken {
    std::uint64_t links_of_peer = 0;
    std::uint64_t descriptors_of_peer = 0;
    std::uint64_t descriptors = 0;
  };
  // Code::peer: a link with so many channels is one too many.
  Status admit(const Taken& taken, std::size_t channels) const;

  // Further sockets of a connection are the Net's affair.
  static std::uint64_t descriptors_of(std::size_t channels) { return 1 + 2 * channels; }

 private:
  struct Numbers {
    std::uint64_t link_bytes = 0;
    std::uint64_t peer_bytes = 0;
    std::uint64_t engine_bytes = 0;
    std::uint64_t channels = 0;  // of a link
    std::uint64_t links = 0;     // of an address
    // 0: a part of what the process may have, as it is when a link comes.
    std::uint64_t peer_descriptors = 0;
    std::uint64_t engine_descriptors = 0;
  };
  explicit PeerLimits(const Numbers& numbers);

  const Numbers numbers_;
  const std::shared_ptr<Budget> all_;
  std::mutex mutex_;  // guards what follows
  std::map<std::string, std::weak_ptr<Budget>> of_peers_;
};

}  // namespace hawser::engine
