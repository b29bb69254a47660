// What the small programs that measure peers share: their command line, buffers, and clock. They
// stand outside hawser's build: peers.sh compiles them where a peer's headers are.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace pair {

[[noreturn]] inline void die(const char* what, const char* why = "") {
  std::fprintf(stderr, "%s: %s\n", what, why);
  std::exit(1);
}

struct Job {
  bool stream = false;
  std::size_t bytes = 0;       // of a message
  std::uint64_t messages = 0;  // of a ping-pong: round trips
  std::size_t window = 0;      // messages in flight
};

// "stream|latency BYTES MESSAGES WINDOW"
inline Job job_from(char** words) {
  Job job;
  job.stream = std::strcmp(words[0], "stream") == 0;
  job.bytes = std::strtoull(words[1], nullptr, 10);
  job.messages = std::strtoull(words[2], nullptr, 10);
  job.window = std::strtoull(words[3], nullptr, 10);
  if (job.bytes == 0 || job.messages == 0 || job.window == 0) die("usage", "wants numbers above 0");
  return job;
}

inline std::uint64_t warm_up(const Job& job) {
  return std::max<std::uint64_t>(1, job.messages / 8);
}

// Messages go round 2 MiB, but two messages at least; each one in flight has a slot of its own: as
// in `hawser perf`. Every byte was written: the sender's is a pattern, the receiver's is not.
class Ring {
 public:
  Ring(const Job& job, bool sender)
      : message_bytes_(job.bytes),
        slots_(
            std::clamp<std::size_t>(kBytes / job.bytes, 2, std::max<std::size_t>(2, job.window))),
        memory_(slots_ * job.bytes) {
    for (std::size_t i = 0; i < memory_.size(); ++i)
      memory_[i] = sender ? pattern(i) : static_cast<unsigned char>(~pattern(i));
  }

  std::size_t slots() const { return slots_; }
  unsigned char* slot(std::uint64_t message) { return &memory_[message % slots_ * message_bytes_]; }
  unsigned char* data() { return memory_.data(); }
  std::size_t bytes() const { return memory_.size(); }

  // Whether the first messages' slots hold what the sender's do.
  void check(std::uint64_t messages) const {
    const std::size_t used = std::min<std::uint64_t>(messages, slots_) * message_bytes_;
    for (std::size_t i = 0; i < used; ++i)
      if (memory_[i] != pattern(i)) die("data", "a received byte is wrong");
  }

 private:
  static constexpr std::size_t kBytes = 2 << 20;
  static unsigned char pattern(std::size_t at) {
    return static_cast<unsigned char>((at * 2654435761u) >> 13);
  }

  std::size_t message_bytes_;
  std::size_t slots_;
  std::vector<unsigned char> memory_;
};

inline std::uint64_t now_ns() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(since).count());
}

// The one line of output: GB/s, or the median of half round trips in microseconds.
inline void print_stream(const Job& job, std::uint64_t elapsed_ns) {
  std::printf("%.6f\n",
              static_cast<double>(job.bytes * job.messages) / static_cast<double>(elapsed_ns));
}
inline void print_latency(std::vector<std::uint64_t>& round_trips_ns) {
  const auto middle =
      round_trips_ns.begin() + static_cast<std::ptrdiff_t>(round_trips_ns.size() / 2);
  std::nth_element(round_trips_ns.begin(), middle, round_trips_ns.end());
  std::printf("%.6f\n", static_cast<double>(*middle) / 2000);
}

// Runs a whole job over a Link, which has send_all(ring, messages), receive_all(ring, messages),
// send_one(data, bytes) and receive_one(data, bytes); all but the first two are whole when they
// return.
template <class Link>
void stream(Link& link, const Job& job, bool sender, Ring& ring) {
  unsigned char token[8] = {};
  const auto run = [&](std::uint64_t messages) {
    if (sender) {
      link.send_all(ring, messages);
      link.receive_one(token, sizeof token);
    } else {
      link.receive_all(ring, messages);
      link.send_one(token, sizeof token);
    }
  };
  run(warm_up(job));
  const std::uint64_t before = now_ns();
  run(job.messages);
  if (sender) print_stream(job, now_ns() - before);
  if (!sender) ring.check(job.messages);
}

template <class Link>
void latency(Link& link, const Job& job, bool sender, Ring& ring) {
  std::vector<std::uint64_t> round_trips_ns(job.messages);
  const auto run = [&](std::uint64_t messages) {
    for (std::uint64_t i = 0; i < messages; ++i) {
      const std::uint64_t before = now_ns();
      if (sender) link.send_one(ring.data(), job.bytes);
      link.receive_one(ring.data(), job.bytes);
      if (!sender) link.send_one(ring.data(), job.bytes);
      round_trips_ns[i] = now_ns() - before;
    }
  };
  run(warm_up(job));
  run(job.messages);
  if (sender) print_latency(round_trips_ns);
  if (!sender) ring.check(1);
}

template <class Link>
void run(Link& link, const Job& job, bool sender) {
  Ring ring(job, sender);
  if (job.stream)
    stream(link, job, sender, ring);
  else
    latency(link, job, sender, ring);
}

}  // namespace pair
