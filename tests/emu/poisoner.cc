#include "poisoner.h"

#include <utility>

#include "unpack_layout.h"

namespace emu {

std::unique_ptr<Poisoner> Poisoner::create(Place place, std::byte* base) {
  std::unique_ptr<Poisoner> made(new Poisoner(place, base));
  if (place.cuda->make_stream(place.context, &made->stream_) != 0) return nullptr;
  if (place.cuda->make_event(place.context, &made->event_) != 0) return nullptr;
  return made;
}

Poisoner::~Poisoner() {
  if (stream_ != nullptr) {
    place_.cuda->synchronize(place_.context, stream_);
    place_.cuda->destroy_stream(place_.context, stream_);
  }
  if (event_ != nullptr) place_.cuda->destroy_event(place_.context, event_);
}

bool Poisoner::fill(std::uint32_t first, std::size_t count) const {
  std::byte* const from = base_ + std::size_t{first} * kPageBytes;
  return place_.cuda->start_fill(place_.context, from, kPoison, count * kPageBytes, stream_) == 0;
}

// Neighbours at once.
bool Poisoner::add(std::span<const std::uint32_t> pages) {
  for (std::size_t i = 0; i < pages.size();) {
    std::size_t end = i + 1;
    while (end < pages.size() && pages[end] == pages[end - 1] + 1) ++end;
    if (!fill(pages[i], end - i)) return false;
    i = end;
  }
  queued_.insert(queued_.end(), pages.begin(), pages.end());
  return !marked_.empty() || mark();
}

bool Poisoner::mark() {
  std::swap(marked_, queued_);
  if (marked_.empty()) return true;
  return place_.cuda->record(place_.context, event_, stream_) == 0;
}

bool Poisoner::finished(std::span<const std::uint32_t>& pages) {
  pages = {};
  if (marked_.empty()) return true;
  const int result = place_.cuda->query(place_.context, event_);
  if (result == kCudaNotReady) return true;
  if (result != 0) return false;
  through_.clear();
  std::swap(through_, marked_);
  pages = through_;
  return mark();
}

}  // namespace emu
