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
    std::function<void(const Handle&, bool sends)> offer;  // whether who listens there sends
    std::function<void(ChannelEnds)> made;
    std::function<void(const Error&)> failed;
  };
  // Where the peer cannot be connected to, it may be asked to make both connections.
  enum class Turning { never, where_needed, at_once };
  Making(std::shared_ptr<Net> net, CommPlace place, int index, std::uint32_t generation,
         Deadline deadline, Outcome outcome, Turning turning)
      : net_(std::move(net)),
        place_(std::move(place)),
        deadline_(deadline),
        outcome_(std::move(outcome)),
        turning_(turning) {
    ends_.index = index;
    ends_.generation = generation;
    ends_.gpu = place_.gpu;
  }

  std::uint32_t generation() const { return ends_.generation; }
  void set_peer_handle(const Handle& handle);
  // The peer cannot connect to this side: connect to that to receive.
  void receive_from(const Handle& handle);
  void cancel(const Error& why);

  // True: it has ended.
  bool poll();
  bool moved() const { return moved_; }

 private:
  // For a connection that is being made: a lost first packet is sent again after a second.
  static constexpr Milliseconds kTurnAfter{1500};

  struct Said {
    std::optional<Handle> peer_handle;
    std::optional<Handle> receive_from;
  };
  bool look();
  Result<bool> step();
  Status begin();
  Status make_sender(const std::optional<Handle>& peer_handle);
  Status make_receiver(const std::optional<Handle>& from);
  Status turn();
  std::string progress_text() const;

  const std::shared_ptr<Net> net_;
  const CommPlace place_;
  const Deadline deadline_;
  const Outcome outcome_;
  const Turning turning_;
  ChannelEnds ends_;
  bool begun_ = false;
  std::unique_ptr<Listener> listener_;
  std::unique_ptr<Connector> connector_;
  Deadline connecting_until_ = Deadline::never();
  std::unique_ptr<SendListener> send_listener_;          // turned, of who could not connect
  std::unique_ptr<ReceiveConnector> receive_connector_;  // turned, of the other
  bool moved_ = false;
  std::mutex mutex_;  // guards what follows
  Said said_;
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
