// Registrations of a device. Plain sockets need none; they are kept so that every post can be
// checked against the range it names.
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "net/net.h"

namespace hawser::tcp {

// Thread-safe. Must outlive the comms that use it.
class RegistrationTable {
 public:
  Result<Registration*> add(const MemoryRange& range);
  Status remove(Registration* registration);
  std::size_t size() const;

 private:
  struct Entry;
  friend Status check_post(const Registration*, const void*, std::size_t);

 public:
  RegistrationTable();
  ~RegistrationTable();

 private:
  mutable std::mutex mutex_;  // guards entries_, not the entries: those never change
  std::map<const Registration*, std::unique_ptr<Entry>> entries_;
};

// Whether `bytes` from `data` lie inside the registration. Takes no lock: a registration must not
// be removed while it is posted with. No bytes need no registration.
Status check_post(const Registration* registration, const void* data, std::size_t bytes);

}  // namespace hawser::tcp
