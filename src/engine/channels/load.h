// Who takes what: data goes to the channels by when each would be through with it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace hawser::engine {

// How busy a channel is. A value.
struct ChannelLoad {
  double rate = 0;  // bytes a second, as measured lately; 0: not yet, taken to be as the others
  std::uint64_t outstanding = 0;  // bytes that are on their way
};

// All channels of a link that may take something. A value.
class LinkLoad {
 public:
  void add(const ChannelLoad& channel) {
    outstanding_ += channel.outstanding;
    sum_ += channel.rate;
    fastest_ = std::max(fastest_, channel.rate);
    ++(channel.rate > 0 ? known_ : unknown_);
  }

  // When that channel would be through with so many bytes more, in seconds from now.
  double finish(const ChannelLoad& channel, std::uint64_t bytes) const {
    const double rate = channel.rate > 0 ? channel.rate : average();
    return static_cast<double>(channel.outstanding + bytes) / rate;
  }

  // Whether it should take the next chunk of all that is unsent: it would be through with that no
  // later than all channels together with all there is, and one chunk of the fastest.
  bool may_take(const ChannelLoad& channel, std::uint64_t unsent, std::uint64_t chunk_bytes) const {
    const double all = static_cast<double>(outstanding_ + unsent) / sum();
    const double grace = static_cast<double>(chunk_bytes) / (known_ > 0 ? fastest_ : 1.0);
    return finish(channel, std::min(unsent, chunk_bytes)) <= all + grace;
  }

 private:
  double average() const { return known_ > 0 ? sum_ / static_cast<double>(known_) : 1.0; }
  double sum() const { return known_ > 0 ? sum_ + average() * static_cast<double>(unknown_) : 1.0; }

  double sum_ = 0;
  double fastest_ = 0;
  std::uint64_t outstanding_ = 0;
  std::size_t known_ = 0;
  std::size_t unknown_ = 0;
};

}  // namespace hawser::engine
