#include "tcp/registration.h"

#include <fmt/core.h>

#include <cstdint>

#include "tcp/frame.h"

namespace hawser::tcp {

struct RegistrationTable::Entry : Registration {
  explicit Entry(const MemoryRange& given) : range(given) {}
  MemoryRange range;
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
  auto entry = std::make_unique<Entry>(range);
  Registration* const registration = entry.get();
  const std::lock_guard lock(mutex_);
  entries_.emplace(registration, std::move(entry));
  return registration;
}

Status RegistrationTable::remove(Registration* registration) {
  const std::lock_guard lock(mutex_);
  if (entries_.erase(registration) == 1) return {};
  return Error(Code::invalid_argument, fmt::format("{} is no registration of this device",
                                                   static_cast<const void*>(registration)));
}

std::size_t RegistrationTable::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

Status check_post(const Registration* registration, const void* data, std::size_t bytes) {
  if (bytes == 0) return {};
  if (bytes > kMaxMessageBytes)
    return Error(Code::invalid_argument,
                 fmt::format("{} bytes in one request; at most {}", bytes, kMaxMessageBytes));
  if (registration == nullptr)
    return Error(Code::invalid_argument, "a request without a registration");
  const MemoryRange& range = static_cast<const RegistrationTable::Entry*>(registration)->range;
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
