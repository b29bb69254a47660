// One channel of a link: a connection each way, driven by one worker.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "engine/channels/load.h"
#include "engine/channels/silence.h"
#include "engine/lanes/rx_lane.h"
#include "engine/lanes/tx_lane.h"
#include "engine/lanes/unacknowledged.h"
#include "engine/operations/operations.h"
#include "net/net.h"

namespace hawser::engine {

class LinkCore;

// What a channel is made of. `capabilities` are those of the device its comms live on.
struct ChannelEnds {
  int index = 0;
  std::uint32_t generation = 0;  // how often it was made
  int numa_node = -1;            // the device's
  bool turned = false;           // the peer has made both connections
  std::shared_ptr<Gpu> gpu;      // that it works for; may be null
  std::shared_ptr<SendComm> send;
  std::shared_ptr<ReceiveComm> receive;
  NetCapabilities capabilities;
};

// Of the thread of its worker, but for what says otherwise. Not used after close().
class LinkChannel final : private TxSource, private RxSink {
 public:
  static Result<std::shared_ptr<LinkChannel>> create(std::shared_ptr<LinkCore> link,
                                                     ChannelEnds ends);

  // Moves whatever can move, without blocking; false: nothing. Closes it where it fails. Without
  // memory nobody knows how far it came: the link ends, and this channel at the next call that can.
  bool progress(TimePoint now);
  bool closed() const { return closed_; }
  // Closes it before it was ever driven; nobody is told.
  void abandon();
  // Something is wrong with a socket: sends something, to be told what.
  void probe() { tx_->ping(); }
  // Drops what the connections have of a region that nobody uses any more. False: not yet.
  bool forget(const LocalRegion& region);
  // Holds nothing of that any more: where something is under way, at the cost of the channel.
  void let_go(const LettingGo& what);
  bool is_of(const LinkCore& link) const { return link_.get() == &link; }

  // What has to happen before progress() can get further.
  struct Waits {
    int receive_fd = -1;  // readable
    int send_fd = -1;     // writable, where `sending`
    bool sending = false;
    bool copying = false;  // a GPU is at work for it, for microseconds: look again at once
    bool polling = false;  // nothing that can be waited for: look again soon
    bool timing = false;   // look again within milliseconds, at the clock
  };
  Waits waits() const;
  // Called just before the connections are closed, and these descriptors with them.
  void before_close(std::function<void()> hook) { before_close_ = std::move(hook); }

  // ---- any thread ----
  int index() const { return index_; }
  std::uint32_t generation() const { return generation_; }
  // In order: each side says that nothing follows, and hears it, as far as that takes no time. Then
  // no connection is closed with something on its way, which costs some plugins memory, and some
  // receivers what has just arrived.
  enum class How { at_once, in_order };
  void ask_to_close(const Error& why, How how = How::at_once);
  // The peer has heard that nothing follows. Whoever tells wakes the worker.
  void peer_left() { peer_left_.store(true, std::memory_order_relaxed); }
  // Sends something that the peer has to acknowledge. Whoever asks wakes the worker.
  void ask_for_a_sign() { sign_wanted_.store(true, std::memory_order_relaxed); }
  // Something larger than a small packet has been acknowledged.
  bool carries() const { return carries_.load(std::memory_order_relaxed); }
  // Those before it have carried nothing large.
  void doubt() { doubted_.store(true, std::memory_order_relaxed); }
  bool suspicious() const { return suspicious_.load(std::memory_order_relaxed); }
  ChannelLoad load() const { return {tx_pace_->rate(), tx_pace_->outstanding()}; }
  TimePoint heard_at() const { return heard_at_.load(std::memory_order_relaxed); }
  std::uint64_t bytes_sent() const { return bytes_sent_.load(std::memory_order_relaxed); }
  std::uint64_t bytes_received() const { return bytes_received_.load(std::memory_order_relaxed); }
  std::uint64_t bytes_again() const { return bytes_again_.load(std::memory_order_relaxed); }
  // There may be something to do. Set by whoever brings it, taken by the worker.
  std::atomic<bool> kicked{true};

 private:
  static constexpr Milliseconds kLastWord{20};
  static constexpr Milliseconds kLeaving{200};
  // A kernel that looks for the size of packets that pass begins to after about 3 s.
  static constexpr int kPatience = 8;

  LinkChannel(std::shared_ptr<LinkCore> link, const ChannelEnds& ends);
  bool move(TimePoint now);
  bool drop();
  Result<bool> step(TimePoint now);
  Result<bool> leave(TimePoint now);
  Result<bool> receive(TimePoint now);
  Status look_at_clock(TimePoint now);
  void close(const Error& why);
  void say_last_word();

  // TxSource
  void take_messages(wire::FrameBuilder& frame, std::vector<MessagePtr>& sent) override;
  void take_chunks(const Outbox::Limits& limits, std::vector<OutChunk>& taken) override;
  void chunk_failed(const OutChunk& chunk, Error why) override;
  void memory_lost(const std::shared_ptr<Outgoing>& op, const Error& why) override;
  void acknowledged(std::span<const OutChunk> chunks,
                    std::span<const MessagePtr> messages) override;
  // RxSink
  Status find_target(const wire::WriteChunk& chunk, Target& target) override;
  Status find_target(const wire::ReplyChunk& chunk, Target& target) override;
  void landed(const Target& target) override;
  void target_failed(Target& target, Error why) override;
  Status take_record(std::uint64_t order, const wire::Record& record) override;

  const std::shared_ptr<LinkCore> link_;
  const int index_;
  const std::uint32_t generation_;
  int receive_fd_ = -1;
  int send_fd_ = -1;
  std::function<void()> before_close_;
  std::unique_ptr<TxLane> tx_;
  std::unique_ptr<RxLane> rx_;
  const Pace* tx_pace_ = nullptr;  // outlives the lane's end, as the lane does
  bool closed_ = false;
  bool out_of_memory_ = false;
  std::optional<TimePoint> leaving_until_;
  bool left_ = false;  // and said so
  std::atomic<bool> peer_left_{false};
  Silence against_channels_, against_control_;
  std::atomic<bool> suspicious_{false};  // nothing is acknowledged: new messages go elsewhere
  std::atomic<bool> sign_wanted_{false};
  std::atomic<bool> carries_{false};
  std::atomic<bool> doubted_{false};
  std::atomic_flag close_claimed_;        // by whoever sets the reason
  std::optional<Error> close_reason_;     // set once
  How close_how_ = How::at_once;          // likewise
  std::atomic<bool> close_asked_{false};  // publishes it
  std::atomic<TimePoint> heard_at_;
  std::atomic<std::uint64_t> bytes_sent_{0};
  std::atomic<std::uint64_t> bytes_received_{0};
  std::atomic<std::uint64_t> bytes_again_{0};
};

}  // namespace hawser::engine
