// Registrations of a device. Plain sockets need none; they are kept so that every post can be
// checked against the range it names.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <vector>

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
  friend bool may_vanish(const Registration*);

 public:
  RegistrationTable();
  ~RegistrationTable();

 private:
  mutable std::mutex mutex_;  // guards what follows; an entry changes only while nobody may post it
  std::map<const Registration*, std::unique_ptr<Entry>> entries_;
  // Removed ones, to be used again and never freed: who posts one all the same is told.
  std::vector<std::unique_ptr<Entry>> removed_;
};

// Whether `bytes` from `data` lie inside the registration, and it has not been removed. Takes no
// lock: a registration must not be removed while it is posted with. No bytes need no registration.
Status check_post(const Registration* registration, const void* data, std::size_t bytes);
// Of a post that was checked.
bool may_vanish(const Registration* registration);

}  // namespace hawser::tcp
