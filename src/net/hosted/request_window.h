// The requests in flight on one comm: a ring, posted, finished and released in order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "net/hosted/hosted_registration.h"
#include "net/net.h"

namespace hawser {

struct HostedRequest : Request {
  void* request = nullptr;        // the plugin's
  void* flush_request = nullptr;  // the plugin's, once the data has arrived and is being flushed
  std::uint64_t sequence = 0;     // counts the posts of this comm, from 0
  void* data = nullptr;
  std::size_t bytes = 0;
  const HostedRegistration* registration = nullptr;
  std::size_t pages = 0;  // taken of a bounce pool's budget
  std::optional<std::size_t> received;
};

// Not thread-safe. Never allocates after construction.
class RequestWindow {
 public:
  explicit RequestWindow(int max_requests) : ring_(static_cast<std::size_t>(max_requests)) {}

  bool full() const { return posted_ - released_ == ring_.size(); }
  std::size_t unfinished() const { return static_cast<std::size_t>(posted_ - finished_); }
  std::size_t unreleased() const { return static_cast<std::size_t>(posted_ - released_); }

  // The place of the next request; it counts as posted only after post().
  HostedRequest& next() {
    HostedRequest& place = at(posted_);
    place = HostedRequest();
    place.sequence = posted_;
    return place;
  }
  void post() { ++posted_; }

  // Null where there is none.
  HostedRequest* oldest_unfinished() { return finished_ == posted_ ? nullptr : &at(finished_); }
  HostedRequest* oldest_unreleased() { return released_ == finished_ ? nullptr : &at(released_); }
  // Whether it is one of those that are finished and not released yet.
  bool is_finished(const Request* request) {
    for (std::uint64_t sequence = released_; sequence < finished_; ++sequence)
      if (&at(sequence) == request) return true;
    return false;
  }
  void finish() { ++finished_; }
  void release() { ++released_; }

 private:
  HostedRequest& at(std::uint64_t sequence) { return ring_[sequence % ring_.size()]; }

  std::vector<HostedRequest> ring_;
  std::uint64_t posted_ = 0;
  std::uint64_t finished_ = 0;
  std::uint64_t released_ = 0;
};

}  // namespace hawser
