#include "net/unpack/unpacked_receives.h"

namespace hawser {

Result<Unpacker::Arrival> UnpackedReceives::add(Request* request, Unpacker& unpacker,
                                                const Unpacker::Place& place) {
  HAWSER_ASSIGN(const Fragments fragments, comm_.fragments(request));
  const bool other = submitted_ < receives_.end() && receives_.at(submitted_).unpacker != &unpacker;
  if (other) HAWSER_TRY(submit());
  HAWSER_ASSIGN(const Unpacker::Arrival arrival, unpacker.add(fragments, place));
  receives_.push() = {request, &unpacker, 0};
  return arrival;
}

// One mark for all that were found done together.
Status UnpackedReceives::submit() {
  if (submitted_ == receives_.end()) return {};
  HAWSER_ASSIGN(const std::uint64_t mark, receives_.at(submitted_).unpacker->submit());
  for (; submitted_ < receives_.end(); ++submitted_) receives_.at(submitted_).mark = mark;
  return {};
}

Result<bool> UnpackedReceives::take_oldest() {
  if (receives_.begin() == submitted_) return false;
  const Receive& oldest = receives_.oldest();
  HAWSER_ASSIGN(const bool in_place, oldest.unpacker->finished(oldest.mark));
  if (!in_place) return false;
  HAWSER_TRY(comm_.consume(oldest.request));
  receives_.pop();
  return true;
}

}  // namespace hawser
