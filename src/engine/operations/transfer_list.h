// Transfers that have not ended, and those about to be told that they have.
#pragma once

#include <memory>
#include <utility>

namespace hawser::engine {

class TransferState;

// Where a transfer is listed; of one at most. Guarded by whoever guards the list.
struct TransferListing {
  std::shared_ptr<TransferState> next;
  TransferState* previous = nullptr;
};

// In the transfers themselves: to go from one list to another takes no memory, so none is lost
// where there is none. Keeps its transfers alive. Not thread-safe.
class TransferList {
 public:
  TransferList() = default;
  ~TransferList();
  TransferList(const TransferList&) = delete;
  TransferList& operator=(const TransferList&) = delete;

  bool empty() const { return first_ == nullptr; }
  TransferState& first() const { return *first_; }
  // At the end; of one that is in no list.
  void add(std::shared_ptr<TransferState> transfer);
  // Of one that is in this list.
  std::shared_ptr<TransferState> take(TransferState& transfer);

 private:
  std::shared_ptr<TransferState> first_;
  TransferState* last_ = nullptr;
};

}  // namespace hawser::engine
