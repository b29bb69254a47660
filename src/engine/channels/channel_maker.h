// Channels in the making: two connections, one each way, by handles that the sides exchange.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/thread.h"
#include "engine/channels/link_channel.h"
#include "net/net.h"

namespace hawser::engine {

// One attempt. Polled by the maker's thread; set_peer_handle() and cancel() from any.
class Making {
 public:
  // All called from the maker's thread, with no lock held; the last one ends it.
  struct Outcome {
    std::function<void(const Handle&)> offer;
    std::function<void(ChannelEnds)> made;
    std::function<void(const Error&)> failed;
  };
  Making(std::shared_ptr<Net> net, CommPlace place, int index, std::uint32_t generation,
         Deadline deadline, Outcome outcome)
      : net_(std::move(net)),
        place_(std::move(place)),
        deadline_(deadline),
        outcome_(std::move(outcome)) {
    ends_.index = index;
    ends_.generation = generation;
    ends_.gpu = place_.gpu;
  }

  std::uint32_t generation() const { return ends_.generation; }
  void set_peer_handle(const Handle& handle);
  void cancel(const Error& why);

  // True: it has ended.
  bool poll();
  bool moved() const { return moved_; }

 private:
  bool look();
  Result<bool> step();
  std::string progress_text() const;

  const std::shared_ptr<Net> net_;
  const CommPlace place_;
  const Deadline deadline_;
  const Outcome outcome_;
  ChannelEnds ends_;
  std::unique_ptr<Listener> listener_;
  std::unique_ptr<Connector> connector_;
  bool moved_ = false;
  std::mutex mutex_;  // guards what follows
  std::optional<Handle> peer_handle_;
  std::optional<Error> cancelled_;
};

// A thread that polls them, while there are any: a plugin's calls may take their time. Thread-safe.
class ChannelMaker {
 public:
  static Result<std::unique_ptr<ChannelMaker>> start();
  ~ChannelMaker();  // waits for its thread
  ChannelMaker(const ChannelMaker&) = delete;
  ChannelMaker& operator=(const ChannelMaker&) = delete;

  void add(std::shared_ptr<Making> making);
  // As a worker's.
  void call_back();
  bool join_within(const Deadline& deadline) { return thread_.join_within(deadline); }
  void abandon(std::shared_ptr<void> all);

 private:
  ChannelMaker() = default;
  void loop();

  std::mutex mutex_;  // guards what follows
  std::condition_variable something_;
  std::vector<std::shared_ptr<Making>> arriving_;
  bool stopping_ = false;
  std::shared_ptr<void> kept_;  // once it was abandoned; of its owner
  Thread thread_;               // last: it uses the others
};

}  // namespace hawser::engine
