#include "net/tcp/registration.h"

#include <fmt/core.h>

#include <cstdint>

#include "net/tcp/frame.h"

namespace hawser::tcp {

struct RegistrationTable::Entry : Registration {
  MemoryRange range;  // no bytes: removed
};

RegistrationTable::RegistrationTable() = default;
RegistrationTable::~RegistrationTable() = default;

Result<Registration*> RegistrationTable::add(const MemoryRange& range) {
  if (range.kind != MemoryKind::host)
    return Error(Code::invalid_argument,
                 fmt::format("hawser TCP takes host memory only, not {} memory: copy through a "
                             "host buffer",
                             memory_kind_name(range.kind)));
  if (range.data == nullptr || range.bytes == 0)
    return Error(Code::invalid_argument, fmt::format("cannot register {} bytes at {}", range.bytes,
                                                     static_cast<const void*>(range.data)));
  const std::lock_guard lock(mutex_);
  if (removed_.empty()) removed_.push_back(std::make_unique<Entry>());
  Registration* const registration = removed_.back().get();
  removed_.back()->range = range;
  entries_.emplace(registration, std::move(removed_.back()));
  removed_.pop_back();
  return registration;
}

Status RegistrationTable::remove(Registration* registration) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(registration);
  if (found == entries_.end())
    return Error(Code::invalid_argument, fmt::format("{} is no registration of this device",
                                                     static_cast<const void*>(registration)));
  found->second->range = MemoryRange();
  removed_.push_back(std::move(found->second));
  entries_.erase(found);
  return {};
}

std::size_t RegistrationTable::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

bool may_vanish(const Registration* registration) {
  return registration != nullptr &&
         static_cast<const RegistrationTable::Entry*>(registration)->range.may_vanish;
}

Status check_post(const Registration* registration, const void* data, std::size_t bytes) {
  if (bytes == 0) return {};
  if (bytes > kMaxMessageBytes)
    return Error(Code::invalid_argument,
                 fmt::format("{} bytes in one request; at most {}", bytes, kMaxMessageBytes));
  if (registration == nullptr)
    return Error(Code::invalid_argument, "a request without a registration");
  const MemoryRange& range = static_cast<const RegistrationTable::Entry*>(registration)->range;
  if (range.bytes == 0)
    return Error(Code::invalid_argument,
                 fmt::format("{} bytes at {} are posted with a registration that was dropped",
                             bytes, static_cast<const void*>(data)));
  const auto start = reinterpret_cast<std::uintptr_t>(range.data);
  const auto first = reinterpret_cast<std::uintptr_t>(data);
  if (first >= start && first - start <= range.bytes && bytes <= range.bytes - (first - start))
    return {};
  return Error(Code::invalid_argument,
               fmt::format("{} bytes at {} are outside the registered {} bytes at {}", bytes,
                           static_cast<const void*>(data), range.bytes,
                           static_cast<const void*>(range.data)));
}

}  // namespace hawser::tcp
