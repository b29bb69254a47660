#include "socket_choices/zerocopy_ledger.h"

#include <fmt/core.h>

namespace hawser::bench {

void ZerocopyLedger::sent(std::size_t slot) {
  at(next_++) = {slot, true};
  ++outstanding_of_[slot];
  ++outstanding_;
}

Status ZerocopyLedger::completed(std::uint32_t first, std::uint32_t last, bool copied) {
  const std::uint32_t count = last - first + 1;
  const std::uint32_t age = next_ - first;  // how many sends ago the first of them was
  if (count == 0 || count > outstanding_ || age > kMaxOutstanding || count > age)
    return Error(Code::system, fmt::format("the kernel completed sends {} to {}, but {} are "
                                           "outstanding and {} comes next",
                                           first, last, outstanding_, next_));
  for (std::uint32_t i = 0; i < count; ++i) {
    Send& send = at(first + i);
    if (!send.outstanding)
      return Error(Code::system, fmt::format("the kernel completed send {} twice", first + i));
    send.outstanding = false;
    --outstanding_of_[send.slot];
    --outstanding_;
  }
  done_ += count;
  if (copied) copied_ += count;
  return {};
}

std::string ZerocopyLedger::summary() const {
  return done_ == 0 ? "" : fmt::format("the kernel copied {} of {} sends", copied_, done_);
}

}  // namespace hawser::bench
