// All operations of a link: what its user asked for, what the peer asks for, and which messages
// bring them to their ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include <hawser/transfer.h>

#include "base/budget.h"
#include "base/clock.h"
#include "engine/lanes/rx_lane.h"
#include "engine/operations/drains.h"
#include "engine/operations/in_order.h"
#include "engine/operations/message_copies.h"
#include "engine/operations/notifications.h"
#include "engine/operations/operation.h"
#include "engine/operations/outbox.h"
#include "engine/operations/room.h"
#include "engine/operations/stream_gate.h"
#include "engine/operations/tag_match.h"
#include "engine/operations/transfer_state.h"
#include "engine/region_table.h"
#include "engine/wire.h"

namespace hawser::engine {

// What a transfer is asked for with, once it is known to make sense.
struct Request {
  RegionUse region;
  BlockList blocks;
  std::shared_ptr<GpuEvent> after;
  int timeout_ms = 0;
  bool only_if_room = false;
};

struct OperationsSetup {
  Milliseconds ending{0};   // how long a peer may take to say what it has of what was stopped
  wire::Room room_here{};   // for so much of the peer's at a time
  wire::Room room_there{};  // what the peer has said of this side's
  std::shared_ptr<Budget> budget = Budget::unbounded();  // of what it makes this side keep
  // For copies of memory that may vanish; null: there is none, and they take longer.
  std::shared_ptr<PageFile> page_file;
};

// Thread-safe: one mutex, held for a few steps at a time, never across a call of a user.
class Operations {
 public:
  // `wake`: so many bytes, or (0) messages, have become ready to be sent. Called with no lock held.
  using Wake = std::function<void(std::uint64_t bytes)>;
  Operations(const RegionTable& regions, EventBell& bell, Wake wake, OperationsSetup setup);

  // ---- what the user asks for; the transfers belong to `link` ----
  using Link = std::weak_ptr<LinkCore>;
  using State = std::shared_ptr<TransferState>;
  State write(const Link& link, Request request, const wire::Key& key, std::string notification);
  State read(const Link& link, Request request, const wire::Key& key);
  State send(const Link& link, std::uint64_t tag, Request request);
  State receive(const Link& link, std::uint64_t tag, Request request);
  State notify(const Link& link, std::string text, int timeout_ms, bool only_if_room);
  std::optional<std::string> take_notification();
  // It ends: at once, or when the peer has said what it has of it, or `ending` later by force.
  // Where all of it is on its way it is too late, and it ends well, if the peer says so in that
  // time.
  void stop(std::uint64_t op, Error why);
  // Everything that uses the region.
  void stop(const LocalRegion& region, const Error& why);
  // What the peer reads out of it: to end by force.
  std::shared_ptr<LettingGo> served_from(const LocalRegion& region);
  // Asks the peer to end what it has under way with that region of this side, and to begin nothing
  // more. `drained` is called once, perhaps with a lock held: when it has, or the link has ended.
  void drain(const wire::Key& key, std::function<void()> drained);

  // ---- what channels do ----
  void take_messages(wire::FrameBuilder& frame, std::vector<MessagePtr>& sent);
  void take_chunks(const Outbox::Limits& limits, std::vector<OutChunk>& taken);
  void acknowledged(std::span<const OutChunk> chunks, std::span<const MessagePtr> messages);
  void chunk_failed(const OutChunk& chunk, const Error& why);
  void memory_lost(const std::shared_ptr<Outgoing>& op, const Error& why);
  void send_again(std::vector<MessagePtr> messages, std::vector<OutChunk> chunks);
  // Code::protocol ends the link.
  Status find_target(const wire::WriteChunk& chunk, Target& target);
  Status find_target(const wire::ReplyChunk& chunk, Target& target);
  void landed(const Target& target);
  void target_failed(Target& target, const Error& why);
  // In the order of their numbers. Code::protocol ends the link.
  Status take_message(std::uint64_t order, const wire::Record& record);
  // Whenever it comes.
  void take_refusal(const wire::Fault& fault);
  void take_room(const wire::Room& room);

  // ---- the link's life ----
  void post_unordered(MessagePtr message);
  bool has_messages() const { return outbox_.has_messages(); }
  std::uint64_t unsent_bytes() const { return outbox_.unsent_bytes(); }
  // What waits since the peer has no room for it; of reads each part.
  std::size_t waiting_for_room() const;
  // Nothing is under way that this side asked for, and the peer has heard all there was to say.
  bool idle() const;
  // No channel touches anybody's memory any more: everything ends with that.
  void end(const Error& why);
  // Stops what is overdue. What has been stopped and has not ended is to end by force: null where
  // there is none, else channels are to let go of it, and then let_go() ends it.
  std::shared_ptr<LettingGo> look_at_deadlines(TimePoint now);
  // No channel holds anything of that.
  void let_go(const LettingGo& what);
  // Why the link must end: the peer takes none of the answers that it makes necessary.
  std::optional<Error> overrun() const {
    const Lock lock(mutex_);
    return overrun_;
  }
  // Begins what has waited for its user's stream.
  void look_at_streams();
  bool waits_for_streams() const { return gate_.any(); }

 private:
  using Lock = std::unique_lock<std::mutex>;
  static constexpr std::uint64_t kEagerBytes = 4096;
  static constexpr std::size_t kAtATime = 256;  // without letting others have the lock
  // What each takes about, beside its data, of the peer's budget.
  static constexpr std::uint64_t kNotificationBytes = 128;
  static constexpr std::uint64_t kReadBytes = 512;
  static constexpr std::uint64_t kAnswerBytes = 512;

  // Whoever wants no more of an operation comes too late where all of it is on its way; what fails
  // fails.
  enum class Stopping { withdrawn, failed };

  // What the peer has no room for yet: how it is announced, and when it may be begun.
  struct Waiting {
    MessagePtr message;
    std::shared_ptr<GpuEvent> after;
  };

  State make_transfer(const Link& link, std::uint64_t op, std::uint64_t bytes);
  static State done_at_once();
  State refused_if_ended() const;
  State refused_if_draining(const wire::Key& key) const;
  void begin(std::uint64_t op, const RegionUse& region, int timeout_ms);
  void forget(std::uint64_t op, const RegionUse& region, const Ending& ending);
  Ending* ending_of(std::uint64_t op);
  void set_deadline(std::uint64_t op, TimePoint deadline);
  void end_by_force(std::uint64_t op, LettingGo& what);
  void announce(const std::shared_ptr<Outgoing>& op, const std::string& notification,
                std::shared_ptr<GpuEvent> after, EndedTransfers& ended);
  void start(const std::shared_ptr<Outgoing>& op, const std::shared_ptr<GpuEvent>& after,
             EndedTransfers& ended);
  void start(const std::shared_ptr<Inbound>& inbound, EndedTransfers& ended);
  void ask_for(const std::shared_ptr<Inbound>& inbound, EndedTransfers& ended);
  void add_parts(const std::shared_ptr<Inbound>& inbound, EndedTransfers& ended);
  void asked(Inbound& inbound);
  bool take_back_part(Inbound& inbound, std::uint64_t part);
  Error no_room(Kept kind) const;
  bool has_room_there(Kept kind, std::uint64_t count = 1) const;
  void when_there_is_room(Kept kind, std::uint64_t op, Waiting what, EndedTransfers& ended);
  void go_on(Kept kind, std::uint64_t op, Waiting what, EndedTransfers& ended);
  bool let_through(Kept kind, EndedTransfers& ended);
  bool take_back(Kept kind, std::uint64_t op) { return waiting_[kind].erase(op) > 0; }
  Status take_room_here(Kept kind);
  void give_back(Kept kind);
  void tell_room(Kept kind);
  void room_was_heard_of();
  void count_down(const wire::Key& key);
  void post(wire::Record record, std::shared_ptr<Outgoing> op = nullptr);
  static MessagePtr fault(std::uint64_t op, const Error& why);
  bool count_answer(Message& message);
  void post_answer(MessagePtr message);
  void post_fault(std::uint64_t op, const Error& why, std::optional<Kept> frees = {});
  void refuse(Target& target, std::uint64_t op, const Error& why);
  void stop_outgoing(const std::shared_ptr<Outgoing>& op, Error why, EndedTransfers& ended,
                     Stopping how = Stopping::failed);
  void stop_send(PendingSend& send, Error why, EndedTransfers& ended);
  void end_send(std::uint64_t op, Status outcome, EndedTransfers& ended);
  void stop_inbound(const std::shared_ptr<Inbound>& inbound, Error why, EndedTransfers& ended);
  void stop_op(std::uint64_t op, const Error& why, EndedTransfers& ended);
  void finish_if_done(const std::shared_ptr<Outgoing>& op, EndedTransfers& ended);
  void finish(const std::shared_ptr<Outgoing>& op, EndedTransfers& ended);
  void withdraw_if_over(Outgoing& op);
  void end_part(std::uint64_t part, std::optional<Error> why, EndedTransfers& ended);
  void release_notifications();
  void meet(const std::shared_ptr<Inbound>& receive, const Announced& message,
            EndedTransfers& ended);
  void fail_meeting(const std::shared_ptr<Inbound>& receive, const Announced& message, Error why,
                    EndedTransfers& ended);
  void end_inbound(const std::shared_ptr<Inbound>& inbound, EndedTransfers& ended);
  Status deliver(const wire::Record& record, EndedTransfers& ended);
  Status on(const wire::Begin& begin, EndedTransfers& ended);
  Status on(const wire::ReadRequest& request, EndedTransfers& ended);
  Status on(const wire::Send& send, EndedTransfers& ended);
  Status on(const wire::Ready& ready, EndedTransfers& ended);
  Status on(const wire::Finished& finished, EndedTransfers& ended);
  Status on(const wire::Fault& fault, EndedTransfers& ended);
  Status on(const wire::Stop& stop, EndedTransfers& ended);
  Status on(const wire::Withdraw& withdraw, EndedTransfers& ended);
  Status on(const wire::Notify& notify, EndedTransfers& ended);
  Status on(const wire::Drain& drain, EndedTransfers& ended);
  Status on(const wire::Drained& drained, EndedTransfers& ended);

  const RegionTable& regions_;
  EventBell& bell_;
  const std::shared_ptr<Budget> budget_;
  const Wake wake_;
  const Milliseconds ending_;
  MessageCopies copies_;
  // Guards what follows. Under it only the locks of regions and their table are taken; the link's
  // is not: it is woken when this one is free.
  mutable std::mutex mutex_;
  Outbox outbox_;
  std::size_t unheard_ = 0;  // messages that channels have taken, and the peer has not
  std::optional<Error> ended_;
  std::optional<Error> overrun_;
  std::uint64_t last_op_ = 0;
  TransferList going_on_;  // all that were asked for here, whatever else is known of them
  std::map<std::uint64_t, std::shared_ptr<Outgoing>> outgoing_;           // by own_op
  std::unordered_map<std::uint64_t, std::shared_ptr<Outgoing>> replies_;  // by peer_op
  std::set<std::uint64_t> open_writes_;
  std::map<std::uint64_t, MessagePtr> held_notifications_;  // by own op, until its turn
  RoomHere room_here_;
  MessagePtr room_told_;  // on its way to the peer
  RoomThere room_there_;
  // By own op, of reads by the part's: in the order in which they were asked for. Another one of
  // that kind stands behind them.
  OfEachKept<std::map<std::uint64_t, Waiting>> waiting_;
  std::unordered_map<std::uint64_t, PendingSend> sends_;
  std::unordered_map<std::uint64_t, std::shared_ptr<Inbound>> inbound_;
  std::unordered_map<std::uint64_t, InboundPart> parts_;
  TagMatch tags_;
  StreamGate gate_;
  Drains drains_;
  std::set<std::pair<TimePoint, std::uint64_t>> deadlines_;  // of own operations that go on
  std::set<std::pair<const LocalRegion*, std::uint64_t>> by_region_;  // own operations
  std::set<std::pair<const LocalRegion*, std::uint64_t>> served_;     // replies to reads
  InOrder in_order_;
  Notifications notifications_;
};

}  // namespace hawser::engine
