#include "memory/registration_cache.h"

#include <fmt/core.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace hawser {

// One registration. All but scope, range and drop are guarded by the table's mutex;
// `registration` stays as it is from ready on.
struct RegistrationCache::Entry {
  enum class Stage { making, ready, failed, dropping };

  Scope scope;
  MemoryRange range;
  Drop drop;
  Stage stage = Stage::making;
  std::size_t holds = 1;  // the maker's; those who wait for it count already
  void* registration = nullptr;
  std::optional<Error> error;
};

// The entries in the cache, and the waiting for them. Thread-safe. Failed and dropped
// entries are not in it; those who waited for one still hold it.
class RegistrationCache::Table {
 public:
  struct Claim {
    std::shared_ptr<Entry> entry;
    bool to_be_made = false;  // by the one who got this claim
  };

  // A hold on an entry that contains `range`: a new one to be made, else one that is ready
  // or has failed.
  Claim claim(Scope scope, const MemoryRange& range, const Drop& drop);
  void finish_making(const std::shared_ptr<Entry>& entry, const Result<void*>& made);
  void release(const std::shared_ptr<Entry>& entry);
  std::size_t size() const;

 private:
  std::shared_ptr<Entry> find(Scope scope, const MemoryRange& range) const;
  std::shared_ptr<Entry> add(Scope scope, const MemoryRange& range, const Drop& drop);
  void remove(const std::shared_ptr<Entry>& entry);

  mutable std::mutex mutex_;
  std::condition_variable changed_;  // a stage, or an entry removed
  std::unordered_map<Scope, std::vector<std::shared_ptr<Entry>>> entries_;
};

// A claim that was won. The last copy of a Lease destroys it.
struct RegistrationCache::Lease::Hold {
  Hold(std::shared_ptr<Table> the_table, std::shared_ptr<Entry> the_entry)
      : table(std::move(the_table)), entry(std::move(the_entry)) {}
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;
  ~Hold() { table->release(entry); }

  std::shared_ptr<Table> table;
  std::shared_ptr<Entry> entry;
};

RegistrationCache::Table::Claim RegistrationCache::Table::claim(Scope scope,
                                                                const MemoryRange& range,
                                                                const Drop& drop) {
  std::unique_lock lock(mutex_);
  std::shared_ptr<Entry> entry = find(scope, range);
  while (entry != nullptr && entry->stage == Entry::Stage::dropping) {
    changed_.wait(lock);
    entry = find(scope, range);
  }
  if (entry == nullptr) return {add(scope, range, drop), true};
  ++entry->holds;
  changed_.wait(lock, [&] { return entry->stage != Entry::Stage::making; });
  return {entry, false};
}

// Of several that contain the range, one that is ready is best, and one that is being
// dropped is worst: it must be waited for and leads to a new one.
std::shared_ptr<RegistrationCache::Entry> RegistrationCache::Table::find(
    Scope scope, const MemoryRange& range) const {
  const auto of_scope = entries_.find(scope);
  if (of_scope == entries_.end()) return nullptr;
  std::shared_ptr<Entry> best;
  for (const auto& entry : of_scope->second) {
    if (!entry->range.contains(range)) continue;
    if (entry->stage == Entry::Stage::ready) return entry;
    if (best == nullptr || best->stage == Entry::Stage::dropping) best = entry;
  }
  return best;
}

std::shared_ptr<RegistrationCache::Entry> RegistrationCache::Table::add(Scope scope,
                                                                        const MemoryRange& range,
                                                                        const Drop& drop) {
  auto entry = std::make_shared<Entry>();
  entry->scope = scope;
  entry->range = range;
  entry->drop = drop;
  entries_[scope].push_back(entry);
  return entry;
}

void RegistrationCache::Table::remove(const std::shared_ptr<Entry>& entry) {
  auto& of_scope = entries_[entry->scope];
  std::erase(of_scope, entry);
  if (of_scope.empty()) entries_.erase(entry->scope);
}

void RegistrationCache::Table::finish_making(const std::shared_ptr<Entry>& entry,
                                             const Result<void*>& made) {
  const std::lock_guard lock(mutex_);
  if (made.ok()) {
    entry->registration = *made;
    entry->stage = Entry::Stage::ready;
  } else {
    entry->error = made.error();
    entry->stage = Entry::Stage::failed;
    remove(entry);
  }
  changed_.notify_all();
}

void RegistrationCache::Table::release(const std::shared_ptr<Entry>& entry) {
  {
    const std::lock_guard lock(mutex_);
    if (--entry->holds > 0) return;
    entry->stage = Entry::Stage::dropping;
  }
  if (entry->drop) entry->drop(entry->registration);
  const std::lock_guard lock(mutex_);
  remove(entry);
  changed_.notify_all();
}

std::size_t RegistrationCache::Table::size() const {
  const std::lock_guard lock(mutex_);
  std::size_t sum = 0;
  for (const auto& [scope, of_scope] : entries_) sum += of_scope.size();
  return sum;
}

void* RegistrationCache::Lease::registration() const {
  return hold_->entry->registration;
}
const MemoryRange& RegistrationCache::Lease::range() const {
  return hold_->entry->range;
}

RegistrationCache::RegistrationCache() : table_(std::make_shared<Table>()) {}
RegistrationCache::~RegistrationCache() = default;

std::size_t RegistrationCache::size() const {
  return table_->size();
}

Result<RegistrationCache::Lease> RegistrationCache::acquire(Scope scope, const MemoryRange& range,
                                                            const Make& make, const Drop& drop) {
  if (range.data == nullptr || range.bytes == 0 || range.bytes > UINTPTR_MAX - range.address())
    return Error(Code::invalid_argument, fmt::format("registering {} bytes at {}: no such memory",
                                                     range.bytes, range.data));
  const auto claim = table_->claim(scope, range, drop);
  if (claim.to_be_made) table_->finish_making(claim.entry, make(range));
  if (claim.entry->error) return *claim.entry->error;
  return Lease(std::make_shared<const Lease::Hold>(table_, claim.entry));
}

}  // namespace hawser
