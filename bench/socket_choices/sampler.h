// Takes single samples: connects anew, warms up, measures, and closes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "socket_choices/comparison.h"
#include "socket_choices/control.h"
#include "socket_choices/link.h"

namespace hawser::bench {

// The sending side. Of one thread.
class Sampler {
 public:
  Sampler(Control& control, Milliseconds timeout, int duration_ms)
      : control_(control),
        timeout_(timeout),
        duration_ns_(std::uint64_t(duration_ms) * 1'000'000) {}

  struct Sample {
    Timing timing;
    std::string note;
  };

  // `index` is the variant's in the other process's list. `messages` is how many make a sample: 0
  // is not known yet, and is found out and set. Code::unavailable: this machine refuses the
  // variant; after any other error the two processes are out of step, and the sampler is of no more
  // use.
  Result<Sample> take(const Variant& variant, std::uint32_t index, std::size_t message_bytes,
                      std::uint64_t& messages);

 private:
  Result<std::string> connect(const Variant& variant, std::uint32_t index,
                              std::size_t message_bytes);
  Result<Reply> ask(const Command& command);
  Status find_pace(const Variant& variant, std::size_t message_bytes, std::uint64_t& messages);
  Result<Timing> run(const Variant& variant, std::size_t message_bytes, std::uint64_t messages);
  Status move(Traffic traffic, std::uint64_t messages, Timing& timing);
  Error with_reason(const Error& error);

  Control& control_;
  Milliseconds timeout_;
  std::uint64_t duration_ns_;
  Memory memory_;
  std::unique_ptr<Link> link_;
};

}  // namespace hawser::bench
