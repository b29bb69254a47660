// A link's life: its channels come up, go down and are made again; its peer is there or gone.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <hawser/link.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/fork.h"
#include "base/log.h"
#include "base/log_limiter.h"
#include "engine/callbacks.h"
#include "engine/channels/channel_maker.h"
#include "engine/channels/link_channel.h"
#include "engine/channels/load.h"
#include "engine/channels/worker.h"
#include "engine/control_line.h"
#include "engine/link_stage.h"
#include "engine/nic_ways.h"
#include "engine/operations/operations.h"

namespace hawser::engine {

class EngineCore;

// What was agreed when the peers met.
struct LinkTerms {
  bool client = false;  // it offers channels; the server answers
  std::string peer;     // "192.0.2.7:20000"
  std::size_t chunk_bytes = 0;
  // One of the devices that were offered.
  struct End {
    int device = 0;  // of the Net
    std::string name;
    int mtu = 0;  // 0: not known
    // Whose memory it will see most, and, where comms are a GPU's, whose they are; may be null.
    std::shared_ptr<Gpu> gpu;
    std::vector<IpAddress> addresses;  // by endpoint
  };
  std::vector<End> here;  // in the order of the Hello, or of the Welcome
  struct PeerEnd {
    std::string name;
    std::vector<IpAddress> addresses;  // as many as it has told
  };
  std::vector<PeerEnd> there;    // likewise
  std::vector<NicWay> channels;  // the client's may change them
  wire::Room room_there;         // to begin with
  int timeout_ms = 0;            // for all channels to come up
};

// Thread-safe. Owned by the engine until it has ended, by handles and channels as long as they
// last.
class LinkCore : public std::enable_shared_from_this<LinkCore> {
 public:
  LinkCore(std::shared_ptr<EngineCore> engine, LinkTerms terms,
           std::shared_ptr<ControlLine> control);

  // ---- the engine's ----
  void start();
  // Waits until it is up, or cannot be any more.
  Status wait_up(const Deadline& deadline);
  bool is_up() const;
  // Nothing more will come of it, and nothing touches memory any more.
  bool ended() const;
  // Called every few milliseconds, by one thread.
  void look_at_clock(TimePoint now);
  void on_control(const wire::Record& record);
  void on_control_lost(const Error& why);
  // There was no memory in the midst of something of this link's: it ends as soon as
  // look_at_clock() can end it. From any thread; needs none.
  void ran_out_of_memory() { out_of_memory_.store(true, std::memory_order_relaxed); }

  // ---- the user's ----
  // True: a copy in a child of fork(), on which nothing else may be called but peer().
  bool inherited() const { return made_.inherited(); }
  Operations& operations() { return operations_; }
  void cancel(std::uint64_t op);
  Status status() const;
  LinkReport report() const;
  const std::string& peer() const { return terms_.peer; }
  void close(const Error& why, std::string_view tell_peer);
  bool wait_ended(const Deadline& deadline);
  const EngineCore& engine() const { return *engine_; }
  void callback_due(std::shared_ptr<TransferState> ended);

  // All channels let go of that; then what is of this side ends. A thread that hangs in a call
  // keeps it from ending: the call may use the memory still.
  void let_go(std::shared_ptr<const LettingGo> what);

  // ---- its channels' ----
  std::size_t chunk_bytes() const { return terms_.chunk_bytes; }
  std::size_t channels() const { return terms_.channels.size(); }
  bool client() const { return terms_.client; }
  const UnpackOptions& unpack() const;                            // the engine's
  const std::shared_ptr<PageFile>& page_file(int channel) const;  // its worker's; may be null
  Milliseconds stall() const;
  bool may_take(const LinkChannel& channel) const;
  // When the peer was last heard on another channel, and on the control connection.
  TimePoint heard_elsewhere(const LinkChannel& channel) const;
  TimePoint heard_on_control() const;
  bool carried_elsewhere(const LinkChannel& channel) const;
  void ask_for_a_sign(TimePoint now);
  Status find_target(const wire::WriteChunk& chunk, Target& target);
  Status take_record(std::uint64_t order, const wire::Record& record);
  // One that was in doubt has carried something large.
  void channel_carries(const LinkChannel& channel);
  void channel_left(const LinkChannel& channel);
  void channel_closed(const LinkChannel& channel, const Error& why, const wire::Ack& taken,
                      Unacknowledged left);
  // The same of one that had no memory; may be said again.
  void channel_dropped(const LinkChannel& channel);

  // ---- the maker's ----
  void offer(int index, std::uint32_t generation, const Handle& handle, bool sends);
  void channel_made(ChannelEnds ends);
  void channel_not_made(int index, std::uint32_t generation, const Error& why);

  // Called once, when it is up; set before start().
  std::function<void()> on_up;

 private:
  using Lock = std::unique_lock<std::mutex>;
  static constexpr std::size_t kMostLines = 64;
  static constexpr std::size_t kLinesAlike = 16;

  // A channel that went down: what the peer has taken in of it is not known.
  struct Unresolved {
    std::uint32_t generation = 0;
    Unacknowledged left;
  };
  // The newest that the client offers of a channel, and whether it is at an address of its own.
  struct Offered {
    wire::ChannelOffer offer;
    bool own = false;
  };
  struct Slot {
    std::uint32_t generation = 0;          // the newest that was begun
    std::shared_ptr<LinkChannel> channel;  // while it is up
    std::shared_ptr<Making> making;
    NicWay way;
    std::vector<Unresolved> unresolved;
    std::vector<wire::ChannelDown> peer_down;  // word that came before this side was done
    std::optional<Offered> offered;            // and not begun
    TimePoint begun_at{};
    bool settled = false;        // it has come up once, or failed to
    bool turned = false;         // this side, the server, could not connect to the client
    bool small_packets = false;  // large ones were lost: they are doubted until they pass
    bool doubted = false;
    int failures_in_a_row = 0;
    TimePoint made_at{};
    TimePoint retry_at{};
    // Of channels that are gone.
    std::uint64_t bytes_sent = 0;
    std::uint64_t bytes_received = 0;
    std::uint64_t bytes_again = 0;
    std::uint64_t failures = 0;
    std::string last_failure;
    std::string untold;  // a warning, since then
    TimePoint untold_since{};
  };

  const LinkTerms::End& end_of(const NicWay& way) const;
  const std::string& peer_end_of(const NicWay& way) const;
  CommPlace place_of(const Slot& slot) const;
  void begin_making(Slot& slot, int index, std::uint32_t generation, Making::Turning turning);
  void not_made(Slot& slot, int index, const Error& why, Lock& lock);
  void on_offer(const wire::ChannelOffer& offer);
  void begin_offered(Slot& slot, TimePoint now);
  bool is_peers(const Handle& handle) const;
  void on_channel_down(const wire::ChannelDown& down);
  void on_peer_up();
  void on_peer_left(const wire::Left& left);
  void on_peer_closes(const wire::Close& close);
  void resolve(Slot& slot, Unacknowledged& left, const wire::Ack& taken, Lock& lock);
  void tell(wire::Record record, std::string text = {});
  void send_channel_down(const LinkChannel& channel, const wire::Ack& taken, const Error& why);
  void failed(Slot& slot, const Error& why);
  Error loses_large(Slot& slot, const Error& why) const;
  bool is_idle() const;
  Milliseconds pause_after_failures(const Slot& slot) const;
  void look_whether_up(Lock& lock);
  std::size_t live() const;
  std::size_t trusted() const;  // of those, the ones that are not in doubt
  std::string what_failed() const;
  void end(Lock& lock, const Error& cause, LinkChannel::How how = LinkChannel::How::at_once);
  void ask_all_to_close(LinkChannel::How how);
  void finish_end(Lock& lock);
  bool look_at_end(Lock& lock);
  void wake(std::uint64_t bytes);
  LinkLoad load() const;
  LinkChannel* best_channel(std::uint64_t bytes) const;
  void retry(TimePoint now);
  void warn(TimePoint now);

  const std::shared_ptr<EngineCore> engine_;
  const LinkTerms terms_;
  const std::shared_ptr<ControlLine> control_;
  const std::shared_ptr<CallbackQueue> callbacks_ = Callbacks::make_queue();
  const ForkMark made_;
  // A peer brings channels up and down as often as it likes.
  StrangerLog log_{kMostLines, kLinesAlike};
  std::optional<IpAddress> peer_address_;  // of the control connection; set once
  Operations operations_;
  // Guards what follows. Held for a few steps, never across a call of a Net or a user. Under it may
  // be taken: a Making's lock, the maker's, a worker's, the control connection's; never the
  // operations' lock, nor this one under that.
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Slot> slots_;
  std::vector<Worker*> workers_;  // of each channel
  const TimePoint started_at_ = Clock::system().now();
  LinkStage stage_;
  std::optional<Error> control_lost_;
  std::optional<TimePoint> none_live_since_;  // or none that carries what is large
  int resolving_ = 0;  // threads that hold what was on a channel that went down
  std::atomic<TimePoint> asked_at_{TimePoint{}};
  std::atomic<bool> out_of_memory_{false};  // publishes nothing
};

}  // namespace hawser::engine
