#include "node/gpu_run.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>

#include "base/thread.h"
#include "node/accounts.h"

namespace hawser::node {
namespace {

constexpr Milliseconds kSettleTime{2'000};  // for the last acknowledgements
constexpr int kCloseMs = 1'000;
// A peer waits for all its GPUs before it says that one is ready: that takes as long as the
// slowest.
constexpr int kReadyTimeouts = 3;

// Of two ways that ended: the failure that was there first, since it cancelled the other.
Status cause_of(const Status& one, const Status& other) {
  const bool followed = !one.ok() && !other.ok() && one.error().code() == Code::cancelled;
  return one.ok() || followed ? other : one;
}

}  // namespace

GpuRun::GpuRun(std::shared_ptr<NodeState> state, std::size_t gpu)
    : state_(std::move(state)), gpu_(gpu) {
  outcome_.gpu = static_cast<int>(gpu);
  outcome_.name = state_->places.gpus[gpu].name;
}

void GpuRun::run() {
  const Status went = go();
  if (!went.ok()) end_badly(went.error());
  outcome_.volume = volume();
  if (send_lane_) outcome_.sent = send_lane_->count();
  if (receive_lane_) outcome_.received = receive_lane_->count();
  if (outcome_.error)
    state_->board.note(fmt::format("GPU {}: error: {}", gpu_, outcome_.error->message()));
  view().leave(std::move(outcome_));
}

Status GpuRun::go() {
  Arrival arrival(state_->board);
  HAWSER_TRY(meet());
  view().enter(Stage::preparing);
  HAWSER_TRY(prepare());
  arrival.now();
  state_->board.wait_for_all();
  HAWSER_TRY(exchange_ready());
  view().enter(Stage::moving);
  outcome_.start_s = outcome_.end_s = now_s();
  const Status moved = move();
  outcome_.end_s = now_s();
  HAWSER_TRY(moved);
  HAWSER_TRY(exchange_summaries());
  settle();
  part();
  return {};
}

Status GpuRun::meet() {
  const Milliseconds timeout(state_->options.timeout_ms);
  HAWSER_ASSIGN(agreed_, agree(*state_, gpu_, Deadline::after(timeout)));
  LinkWait& link_wait = agreed_.messenger->link_wait();
  link_wait.timeout = timeout;
  link_ = link_wait.link;
  view().take_link(link_);
  outcome_.met = peer_listens_ = true;
  HAWSER_ASSIGN(const bool first, state_->board.settle(agreed_.settled));
  const std::string news = differences(terms(), state_->hello(0).terms);
  if (first && state_->options.role == Role::client && !news.empty())
    state_->board.note("the server's options rule: " + news);
  return {};
}

Status GpuRun::prepare() {
  if (sends()) {
    HAWSER_TRY(open(out_, Rights::none));
    HAWSER_TRY(fill_slots(work(true), out_.slots));
  }
  if (receives()) {
    HAWSER_TRY(open(in_, Rights::write));
    HAWSER_TRY(spoil_slots(work(false), in_.slots));
  }
  return {};
}

Status GpuRun::open(Way& way, Rights rights) {
  LinkWait link_wait = agreed_.messenger->link_wait();
  link_wait.heeds_stop = false;  // a lane that moves ends in good order
  HAWSER_ASSIGN(way.messenger, Messenger::open(*state_->engine, link_wait));
  for (std::size_t i = 0; i < kSlots; ++i) {
    HAWSER_ASSIGN(Buffer buffer, state_->places.gpus[gpu_].allocate(terms().bytes));
    HAWSER_ASSIGN(LinkMemory memory, LinkMemory::make(*state_->engine, std::move(buffer), rights));
    way.slots.push_back(std::move(memory));
  }
  return {};
}

Status GpuRun::exchange_ready() {
  Messenger& messenger = *agreed_.messenger;
  messenger.link_wait().timeout *= kReadyTimeouts;
  Ready ready{static_cast<std::uint32_t>(gpu_), plan().seed, terms(), {}};
  for (std::size_t i = 0; i < in_.slots.size(); ++i) {
    const std::vector<std::byte> token = in_.slots[i].region().token();
    std::copy_n(token.begin(), std::min(token.size(), kRegionTokenBytes), ready.tokens[i].begin());
  }
  HAWSER_TRY(messenger.say(kTagSetting, ready));
  HAWSER_ASSIGN(const Ready there,
                messenger.expect<Ready>(kTagSetting, "the other side's readiness"));
  peer_listens_ = false;
  messenger.link_wait().timeout /= kReadyTimeouts;
  messenger.link_wait().heeds_stop = false;
  if (there.gpu != gpu_ || there.seed != ready.seed || there.terms != ready.terms)
    return Error(Code::protocol, "the two sides mean different things by the same plan");
  for (std::size_t i = 0; sends() && i < kSlots; ++i) {
    HAWSER_ASSIGN(remotes_[i], RemoteRegion::from_token(there.tokens[i]));
    if (remotes_[i].bytes() < terms().bytes)
      return Error(Code::protocol, "the other side's memory is smaller than an iteration");
  }
  return {};
}

// Where both ways are used, each has a thread. One that fails ends the link, and so the other.
Status GpuRun::move() {
  if (!sends()) return receive();
  if (!receives()) return send();
  Status received;
  HAWSER_ASSIGN(Thread receiving, Thread::start(fmt::format("hw-gpu{}-in", gpu_), [&] {
                  received = receive();
                  if (!received.ok()) link_.close();
                }));
  const Status sent = send();
  if (!sent.ok()) link_.close();
  receiving.join();
  return cause_of(sent, received);
}

Status GpuRun::send() {
  send_lane_.emplace(work(true), *out_.messenger, out_.slots, remotes_);
  return send_lane_->run();
}

Status GpuRun::receive() {
  receive_lane_.emplace(work(false), *in_.messenger, in_.slots);
  return receive_lane_->run();
}

Status GpuRun::exchange_summaries() {
  if (receive_lane_ && receive_lane_->wrong()) outcome_.error = receive_lane_->wrong();
  const Summary here = summary();
  Messenger& messenger = *agreed_.messenger;
  HAWSER_TRY(messenger.say(kTagSetting, here));
  HAWSER_ASSIGN(const Summary there,
                messenger.expect<Summary>(kTagSetting, "the other side's summary"));
  HAWSER_TRY(messenger.flush());
  outcome_.interrupted = here.interrupted || there.interrupted;
  if (!there.well && !outcome_.error) {
    outcome_.error_there = true;
    outcome_.error = Error(Code::peer, "the other side: " + there.reason);
  }
  if (here.sent_bytes == there.received_bytes && here.received_bytes == there.sent_bytes) return {};
  return Error(Code::data, fmt::format("sent {} bytes of which {} came, received {} bytes of {}",
                                       here.sent_bytes, there.received_bytes, here.received_bytes,
                                       there.sent_bytes));
}

Summary GpuRun::summary() const {
  Summary own;
  const LaneCount out = send_lane_ ? send_lane_->count() : LaneCount();
  const LaneCount in = receive_lane_ ? receive_lane_->count() : LaneCount();
  own.sent_iterations = out.iterations;
  own.sent_bytes = out.bytes;
  own.received_iterations = in.iterations;
  own.received_bytes = in.bytes;
  own.interrupted = state_->board.stopping();
  own.well = !outcome_.error;
  if (outcome_.error) own.reason = outcome_.error->message();
  return own;
}

// The peer acknowledges what it has applied, if a little later than it says so.
void GpuRun::settle() {
  const Volume program = volume();
  const Deadline deadline = Deadline::after(kSettleTime);
  Backoff backoff;
  do {
    outcome_.link = link_.report();
    if (balanced(outcome_.link, program)) break;
    backoff.idle();
  } while (!deadline.expired());
  outcome_.exact = true;
}

// Nobody closes before the other has seen its accounts settle.
void GpuRun::part() {
  static_cast<void>(agreed_.messenger->part().ok());
  link_.close(kCloseMs);
}

void GpuRun::end_badly(const Error& error) {
  if (!outcome_.error) outcome_.error = error;
  if (!link_) return;
  if (peer_listens_ && link_.up() &&
      agreed_.messenger->say(kTagSetting, Refuse{error.message()}).ok())
    static_cast<void>(agreed_.messenger->flush().ok());
  if (!outcome_.exact) outcome_.link = link_.report();
  link_.close();
}

bool GpuRun::sends() const {
  return state_->options.role == Role::client || terms().both_ways;
}

bool GpuRun::receives() const {
  return state_->options.role == Role::server || terms().both_ways;
}

// Each way of each GPU has a pattern of its own.
LaneWork GpuRun::work(bool out) const {
  const bool to_server = (state_->options.role == Role::client) == out;
  LaneWork work;
  work.bytes = terms().bytes;
  work.iterations = terms().iterations;
  work.duration = Milliseconds(terms().duration_ms);
  work.verify = terms().verify;
  work.seed = plan().seed;
  work.channel = static_cast<std::uint32_t>(2 * gpu_ + (to_server ? 0 : 1));
  return work;
}

Volume GpuRun::volume() const {
  Volume volume;
  if (send_lane_) volume.asked = send_lane_->asked();
  if (send_lane_) volume.sent = send_lane_->count().bytes;
  if (receive_lane_) volume.received = receive_lane_->count().bytes;
  return volume;
}

double GpuRun::now_s() const {
  return std::chrono::duration<double>(Clock::system().now() - state_->board.start()).count();
}

}  // namespace hawser::node
