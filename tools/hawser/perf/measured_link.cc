#include "perf/measured_link.h"

#include <fmt/core.h>
#include <poll.h>

#include <algorithm>
#include <charconv>

#include "base/cpu_quota.h"
#include "engine/engine_core.h"
#include "perf/announced_link.h"
#include "perf/time.h"

namespace hawser {
namespace {

constexpr int kSliceMs = 100;  // between looks at what else may end a wait
constexpr unsigned kPollsPerLook = 64;
constexpr std::uint64_t kLookNs = 100'000;
constexpr int kCloseMs = 1'000;  // for the last acknowledgements
// What a handle is for, by its channel: where the server listens, and whose memory it names.
constexpr std::uint32_t kWhere = 0;
constexpr std::uint32_t kToken = 1;

// A text or token in a handle, behind its length.
Result<wire::HandleOffer> offer_of(std::uint32_t pass, std::uint32_t channel,
                                   std::span<const std::byte> bytes) {
  wire::HandleOffer offer{pass, channel, {}};
  if (bytes.size() >= offer.handle.size())
    return Error(Code::invalid_argument, "the address is longer than a handle");
  offer.handle[0] = static_cast<std::byte>(bytes.size());
  std::ranges::copy(bytes, offer.handle.begin() + 1);
  return offer;
}

Result<std::vector<std::byte>> hear_offer(Inbox& inbox, std::uint32_t pass, std::uint32_t channel,
                                          const Deadline& deadline, std::string_view what) {
  HAWSER_ASSIGN(const auto offer, inbox.wait<wire::HandleOffer>(deadline, what));
  const auto bytes = std::to_integer<std::size_t>(offer.handle[0]);
  if (offer.pass != pass || offer.channel != channel || bytes >= offer.handle.size())
    return Error(Code::protocol, fmt::format("another handle came where {} was due", what));
  return std::vector<std::byte>(offer.handle.begin() + 1, offer.handle.begin() + 1 + bytes);
}

int milliseconds_left(const WaitBound& bound) {
  return static_cast<int>(std::max<std::int64_t>(bound.deadline.remaining().count(), 1));
}

}  // namespace

LinkOptions MeasuredLink::link_options() const {
  LinkOptions options;
  options.devices = {device_};
  options.gpu = gpu_;
  options.channels_per_device = options_.channels;
  return options;
}

Status MeasuredLink::open(const Environment& environment, Session& session, Inbox& inbox,
                          const WaitBound& bound) {
  device_ = environment.net_device().name;
  if (environment.gpu) gpu_ = environment.gpu->info().ordinal;
  if (usable_cpus() > 1) look_ns_ = kLookNs;
  EngineOptions options;
  options.devices = {device_};
  options.threads = options_.threads;
  options.chunk_bytes = options_.chunk_bytes;
  HAWSER_ASSIGN(engine_, engine::EngineCore::over(options, environment.transport));
  HAWSER_TRY(options_.role == Role::server ? listen(environment, session, bound)
                                           : call(inbox, bound));
  HAWSER_ASSIGN(Buffer out, environment.allocate(options_.ring_bytes));
  HAWSER_ASSIGN(Buffer in, environment.allocate(options_.ring_bytes));
  HAWSER_ASSIGN(LinkMemory outgoing, LinkMemory::make(*engine_, std::move(out), Rights::none));
  out_.emplace(std::move(outgoing));
  HAWSER_ASSIGN(LinkMemory incoming, LinkMemory::make(*engine_, std::move(in), Rights::write));
  in_.emplace(std::move(incoming));
  return exchange_tokens(session, inbox, bound);
}

// On any port: the client is told over the session, and what it proves itself with.
Status MeasuredLink::listen(const Environment& environment, Session& session,
                            const WaitBound& bound) {
  const std::string& own = environment.net_device().address;
  const std::string& address = own.empty() ? options_.address : own;
  HAWSER_ASSIGN(const auto acceptor, engine_->listen(address, 0, link_options()));
  HAWSER_ASSIGN(const std::string secret, make_secret());
  const std::string where = fmt::format("{} {} {}", acceptor->port(), secret, address);
  HAWSER_ASSIGN(const auto offer, offer_of(own_pass(), kWhere, std::as_bytes(std::span(where))));
  HAWSER_TRY(session.send(offer));
  HAWSER_ASSIGN(link_, accept_announced(*acceptor, secret, bound));
  return {};
}

Status MeasuredLink::call(Inbox& inbox, const WaitBound& bound) {
  HAWSER_ASSIGN(const auto bytes, hear_offer(inbox, 1 - own_pass(), kWhere, bound.deadline,
                                             "where its link listens"));
  const std::string where(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::size_t space = std::min(where.find(' '), where.size());
  const std::size_t second = where.find(' ', space + 1);
  std::uint16_t port = 0;
  const auto [end, problem] = std::from_chars(where.data(), where.data() + space, port);
  if (problem != std::errc{} || end != where.data() + space || second >= where.size())
    return Error(Code::protocol, "the server's link has no address");
  LinkOptions options = link_options();
  options.timeout_ms = milliseconds_left(bound);
  HAWSER_ASSIGN(link_, engine_->connect(where.substr(second + 1), port, options));
  const Transfer told = link_.notify(where.substr(space + 1, second - space - 1));
  return told.done() ? told.result() : Status();
}

Status MeasuredLink::exchange_tokens(Session& session, Inbox& inbox, const WaitBound& bound) {
  HAWSER_ASSIGN(const auto offer, offer_of(own_pass(), kToken, in_->region().token()));
  HAWSER_TRY(session.send(offer));
  HAWSER_ASSIGN(const auto token, hear_offer(inbox, 1 - own_pass(), kToken, bound.deadline,
                                             "the name of its memory"));
  HAWSER_ASSIGN(there_, RemoteRegion::from_token(token));
  if (there_.bytes() >= options_.ring_bytes) return {};
  return Error(Code::protocol, "the other side's memory is smaller than was agreed on");
}

Transfer MeasuredLink::write(std::size_t offset, std::size_t bytes,
                             const TransferOptions& options) const {
  return link_.write(out_->region().span(offset, bytes), there_.at(offset), options);
}

Status MeasuredLink::stream(const StreamWork& work, PerfIdle idle, Watch& watch) {
  const bool client = work.role == Role::client;
  if (client || work.bidirectional) {
    HAWSER_TRY(send_all(work.run, idle, watch));
    const Transfer told = link_.notify("done");  // it is not waited for
    if (told.done()) HAWSER_TRY(told.result());
  }
  if (client && !work.bidirectional) return {};
  return hear(idle, watch);
}

// The oldest is looked at: that later ones may be done before it costs nothing.
Status MeasuredLink::send_all(const MessageRun& run, PerfIdle idle, Watch& watch) {
  std::vector<Transfer> slots(run.slots);
  std::uint64_t begun = 0;
  for (std::uint64_t ended = 0; ended < run.messages;) {
    bool moved = false;
    for (; begun < run.messages && begun - ended < run.slots; ++begun, moved = true) {
      const std::size_t slot = begun % run.slots;
      slots[slot] = write(slot * run.message_bytes, run.message_bytes, {});
    }
    const Transfer& oldest = slots[ended % run.slots];
    const bool done = idle == PerfIdle::spin ? oldest.done() : oldest.wait(kSliceMs);
    if (done) {
      HAWSER_TRY(oldest.result());
      ++ended;
    }
    HAWSER_TRY(done || moved || idle == PerfIdle::spin ? watch.after(true) : watch.check());
  }
  return {};
}

// Until the other side's next notification. A wake-up takes longer than a small message, so it is
// looked for a while without a pause, where that takes no core from the engine.
Status MeasuredLink::hear(PerfIdle idle, Watch& watch) const {
  if (idle == PerfIdle::spin) return hear_polling(watch);
  const std::uint64_t until = now_ns() + (idle == PerfIdle::yield ? look_ns_ : 0);
  while (now_ns() < until)
    if (link_.take_notification()) return {};
  return hear_waiting(watch);
}

Status MeasuredLink::hear_polling(Watch& watch) const {
  for (unsigned polls = 1; !link_.take_notification(); ++polls) {
    if (polls % kPollsPerLook == 0 && !link_.up()) return link_.status();
    HAWSER_TRY(watch.after(false));
  }
  return {};
}

// Asleep. The event is cleared before each look, so that none is missed.
Status MeasuredLink::hear_waiting(Watch& watch) const {
  while (true) {
    engine_->clear_event();
    if (link_.take_notification()) return {};
    if (!link_.up()) return link_.status();
    HAWSER_TRY(watch.check());
    pollfd event{engine_->event_fd(), POLLIN, 0};
    ::poll(&event, 1, kSliceMs);
  }
}

Status MeasuredLink::ping(std::size_t bytes, std::uint64_t round_trips, PerfIdle idle, Watch& watch,
                          LatencyHistogram* round_trip_ns) {
  TransferOptions options;
  options.notification = "p";
  Transfer last;
  std::uint64_t before = now_ns();
  for (std::uint64_t i = 0; i < round_trips; ++i) {
    last = write(0, bytes, options);
    HAWSER_TRY(hear(idle, watch));
    const std::uint64_t now = now_ns();
    if (round_trip_ns != nullptr) round_trip_ns->record(now - before);
    before = now;
  }
  return last.result();
}

Status MeasuredLink::pong(std::size_t bytes, std::uint64_t round_trips, PerfIdle idle,
                          Watch& watch) {
  TransferOptions options;
  options.notification = "p";
  Transfer last;
  for (std::uint64_t i = 0; i < round_trips; ++i) {
    HAWSER_TRY(hear(idle, watch));
    last = write(0, bytes, options);
  }
  return last.result();
}

void MeasuredLink::close() {
  if (link_) link_.close(kCloseMs);
  in_.reset();
  out_.reset();
  engine_.reset();
}

}  // namespace hawser
