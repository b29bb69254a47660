// The receives of one comm that its plugin left in a bounce pool, from the moment that they are
// done until they are in their places and the plugin has its pages back.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/result.h"
#include "base/sliding_window.h"
#include "net/net.h"
#include "net/unpack/unpacker.h"

namespace hawser {

// Whoever receives from a Net that needs_unpack does it through this, so that the order is kept
// everywhere: fragments, copy, its end, consume, the oldest first. Not thread-safe; allocates once.
class UnpackedReceives {
 public:
  // `window`: receives that are not finished, at most.
  UnpackedReceives(ReceiveComm& comm, std::size_t window) : comm_(comm), receives_(window) {}

  // test() has just said of the request that it is done. What was added one after another to one
  // unpacker goes together, at submit() at the latest.
  Result<Unpacker::Arrival> add(Request* request, Unpacker& unpacker, const Unpacker::Place& place);
  Status submit();
  // True: the oldest was in its place, its pages have been given back, and its request has ended.
  // False: not yet, or there is none. Never blocks.
  Result<bool> take_oldest();

 private:
  struct Receive {
    Request* request = nullptr;
    Unpacker* unpacker = nullptr;
    std::uint64_t mark = 0;  // of the unpacker, once it was submitted
  };

  ReceiveComm& comm_;
  SlidingWindow<Receive> receives_;
  std::size_t submitted_ = 0;  // position of the first that has no mark yet
};

}  // namespace hawser
