#include "perf/measurement.h"

#include <fmt/core.h>

#include <algorithm>

#include "perf/ring.h"
#include "perf/time.h"

namespace hawser {
namespace {

// How much longer than the step itself the other side's word about it may take.
constexpr Milliseconds kWordSlack{2000};

LaneOptions lane_options(const Environment& environment, const MeasurementTerms& terms) {
  LaneOptions options;
  options.role = terms.role;
  options.lanes = static_cast<int>(terms.plan.channels);
  options.ring_bytes = terms.plan.bytes;
  options.channel.chunk_bytes = terms.plan.chunk_bytes;
  options.channel.window = static_cast<int>(terms.setup.window);
  options.channel.gpu = environment.gpu;
  options.channel.unpack = environment.transport.unpack;
  return options;
}

MeasuredLinkOptions link_options(const MeasurementTerms& terms) {
  return {terms.role,       static_cast<int>(terms.plan.channels),
          terms.threads,    terms.plan.chunk_bytes,
          terms.plan.bytes, terms.local_address};
}

bool is_bare(wire::PerfKind kind) {
  return kind == wire::PerfKind::bare_stream || kind == wire::PerfKind::bare_stream_polling ||
         kind == wire::PerfKind::bare_ping_pong;
}

Error mismatch_error(std::uint32_t channel, const Mismatch& wrong) {
  return Error(Code::data,
               fmt::format("channel {}: wrong data at offset {} of its buffer: expected "
                           "0x{:02x}, found 0x{:02x}",
                           channel / 2, wrong.offset, wrong.expected, wrong.found));
}

}  // namespace

Measurement::Measurement(std::shared_ptr<const Environment> environment, MeasurementTerms terms,
                         std::unique_ptr<Session> session, std::shared_ptr<Inbox> inbox)
    : environment_(std::move(environment)),
      terms_(std::move(terms)),
      inbox_(std::move(inbox)),
      session_(std::move(session)) {
  if (terms_.over == PerfOver::net)
    lanes_.emplace(*environment_, lane_options(*environment_, terms_));
  else
    link_.emplace(link_options(terms_));
}

WaitBound Measurement::bound() const {
  return {Deadline::after(terms_.timeout), [this]() -> std::optional<Error> {
            if (failed_) return Error(Code::cancelled, "another thread of this side failed");
            return inbox_->broken();
          }};
}

Status Measurement::open() {
  const WaitBound until = bound();
  transport_sockets_.before();
  HAWSER_TRY(open_path(until));
  transport_sockets_.after();
  HAWSER_TRY(exchange_hosts(until));
  if (terms_.setup.bare_sockets == 0) return {};
  const Status opened = open_bare(until);
  if (opened.ok()) return {};
  return opened.error().within("the bare-socket reference (--bare-sockets 0 leaves it out)");
}

Status Measurement::open_path(const WaitBound& bound) {
  if (link_) return link_->open(*environment_, *session_, *inbox_, bound);
  HAWSER_TRY(lanes_->open(*session_, *inbox_, bound));
  const int most = static_cast<int>(terms_.plan.channels);
  HAWSER_ASSIGN(crew_, Crew::make(std::clamp(terms_.threads, 1, most)));
  return {};
}

void Measurement::close() {
  if (lanes_) lanes_->close();
  if (link_) link_->close();
}

Status Measurement::exchange_hosts(const WaitBound& bound) {
  own_host_ = fmt::format("{}; {}", machine_text(terms_.cpus_chosen),
                          path_text(*environment_, transport_sockets_));
  HAWSER_TRY(session_->send(wire::PerfHost{own_host_}));
  HAWSER_ASSIGN(const auto host,
                inbox_->wait<wire::PerfHost>(bound.deadline, "the description of its host"));
  peer_host_ = host.text;
  return {};
}

Status Measurement::open_bare(const WaitBound& bound) {
  HAWSER_ASSIGN(std::vector<UniqueFd> sockets,
                meet_bare(std::size_t{2} * terms_.setup.bare_sockets, bound));
  HAWSER_TRY(set_bare_congestion(sockets));
  HAWSER_ASSIGN(bare_, BareLink::make(terms_.role, std::move(sockets), terms_.plan.bytes));
  return {};
}

Result<std::vector<UniqueFd>> Measurement::meet_bare(std::size_t count, const WaitBound& bound) {
  if (client()) {
    HAWSER_ASSIGN(const auto where,
                  inbox_->wait<wire::PerfBare>(bound.deadline, "where its bare sockets listen"));
    return bare_connect({where.address, where.port, where.nonce}, count, bound);
  }
  const std::string& own = environment_->net_device().address;
  HAWSER_ASSIGN(BareListener listener,
                BareListener::listen(own.empty() ? terms_.local_address : own));
  const BareMeeting& meeting = listener.meeting();
  HAWSER_TRY(session_->send(wire::PerfBare{meeting.nonce, meeting.port, meeting.address}));
  return listener.accept(count, bound);
}

Status Measurement::set_bare_congestion(const std::vector<UniqueFd>& sockets) {
  const std::string name = terms_.bare_congestion.empty() ? transport_sockets_.common_congestion()
                                                          : terms_.bare_congestion;
  for (const UniqueFd& socket : sockets)
    if (!name.empty()) HAWSER_TRY(set_congestion_control(socket.get(), name));
  bare_congestion_ = congestion_control(sockets.front().get());
  return {};
}

Result<wire::PerfStep> Measurement::next_step() {
  return inbox_->wait<wire::PerfStep>(Deadline::after(terms_.timeout + kWordSlack),
                                      "what to measure next");
}

Status Measurement::announce(const wire::PerfStep& step) {
  return session_->send(step);
}

Status Measurement::part() {
  return meet(UINT32_MAX, bound());
}

Status Measurement::meet(std::uint32_t id, const WaitBound& bound) {
  HAWSER_TRY(session_->send(wire::Barrier{id}));
  HAWSER_ASSIGN(const auto barrier,
                inbox_->wait<wire::Barrier>(bound.deadline, "that it is ready"));
  if (barrier.id == id) return {};
  return Error(Code::protocol,
               fmt::format("the other side is at step {}, this one at {}", barrier.id, id));
}

Result<StepReport> Measurement::run(const wire::PerfStep& step, LatencyHistogram* round_trip_ns) {
  StepReport report;
  report.own.id = step.id;
  const Status done = carry_out(step, report.own, round_trip_ns);
  report.own.ok = done.ok();
  if (!done.ok()) report.own.reason = done.error().message();
  const Status told = session_->send(report.own);
  if (!done.ok()) return done.error();
  HAWSER_TRY(told);
  HAWSER_ASSIGN(report.peer, inbox_->wait<wire::PerfResult>(
                                 Deadline::after(terms_.timeout + kWordSlack), "its result"));
  if (!report.peer.ok) return Error(Code::peer, "the other side: " + report.peer.reason);
  if (report.peer.id == step.id) return report;
  return Error(Code::protocol, "the other side told of another step");
}

Status Measurement::carry_out(const wire::PerfStep& step, wire::PerfResult& own,
                              LatencyHistogram* latency) {
  failed_ = false;
  HAWSER_TRY(check(step));
  HAWSER_TRY(prepare(step));
  const WaitBound until = bound();
  HAWSER_TRY(meet(step.id, until));
  if (step.warmup > 0) HAWSER_TRY(work(step, step.warmup, nullptr, until));
  const std::uint64_t cpu = cpu_ns();
  const std::uint64_t start = now_ns();
  HAWSER_TRY(work(step, step.messages, latency, until));
  own.elapsed_ns = now_ns() - start;
  own.cpu_ns = cpu_ns() - cpu;
  return verify(step);
}

// That of a plugin's process counts, too.
std::uint64_t Measurement::cpu_ns() const {
  const auto elsewhere = environment_->transport.net->cpu_time_elsewhere();
  return process_cpu_ns() + static_cast<std::uint64_t>(elsewhere.count());
}

// The server has only the client's word for what a step is.
Status Measurement::check(const wire::PerfStep& step) const {
  if (step.bytes > terms_.plan.bytes / slots(step))
    return Error(Code::protocol,
                 fmt::format("messages of {} bytes were not agreed on", step.bytes));
  if (is_bare(step.kind) && !bare_) return Error(Code::protocol, "bare sockets were not agreed on");
  return {};
}

std::size_t Measurement::slots(const wire::PerfStep& step) const {
  if (is_ping_pong(step.kind)) return 1;
  const std::size_t rings = link_ && !is_bare(step.kind) ? terms_.plan.channels : 1;
  return ring_slots(step.bytes, terms_.setup.ring_bytes * rings, terms_.setup.window * rings);
}

template <class With>
Status Measurement::each_buffer(const wire::PerfStep& step, bool outward, With&& with) {
  const bool both_ways = step.bidirectional || is_ping_pong(step.kind);
  if (is_bare(step.kind) || (outward != client() && !both_ways)) return {};
  const std::size_t lanes = link_ || is_ping_pong(step.kind) ? 1 : lanes_->lanes().size();
  for (std::size_t i = 0; i < lanes; ++i) {
    // Even numbers go from the client to the server, odd ones back.
    const auto number = static_cast<std::uint32_t>(2 * i + (outward == client() ? 0 : 1));
    const PatternKey key{terms_.plan.seed, step.id, number};
    if (link_)
      HAWSER_TRY(with(outward ? link_->outgoing() : link_->incoming(), key));
    else
      HAWSER_TRY(with(*(outward ? lanes_->lanes()[i].out : lanes_->lanes()[i].in).buffer, key));
  }
  return {};
}

Status Measurement::prepare(const wire::PerfStep& step) {
  if (environment_->gpu) HAWSER_TRY(environment_->gpu->make_current());
  const std::size_t bytes = slots(step) * step.bytes;
  HAWSER_TRY(each_buffer(step, true, [&](Buffer& buffer, const PatternKey& key) {
    return write_pattern(key, buffer, bytes);
  }));
  return each_buffer(step, false, [&](Buffer& buffer, const PatternKey& key) {
    return write_spoiled(key, buffer, bytes);
  });
}

// What the timed part, or its warm-up, has left in the buffers: each slot's last message.
Status Measurement::verify(const wire::PerfStep& step) {
  if (environment_->leaves_data_out()) return {};
  const std::uint64_t messages = step.messages * (link_ ? terms_.plan.channels : 1);
  const std::uint64_t used = std::min<std::uint64_t>(slots(step), messages);
  return each_buffer(step, false, [&](Buffer& buffer, const PatternKey& key) -> Status {
    HAWSER_ASSIGN(const auto wrong, check_pattern(key, buffer, used * step.bytes));
    if (wrong) return mismatch_error(key.channel, *wrong);
    return {};
  });
}

Status Measurement::work(const wire::PerfStep& step, std::uint64_t messages,
                         LatencyHistogram* latency, const WaitBound& bound) {
  if (is_ping_pong(step.kind)) return ping_pong(step, messages, latency, bound);
  const StreamWork work{terms_.role, step.bidirectional, {step.bytes, messages, slots(step)}};
  if (step.kind == wire::PerfKind::bare_stream) return bare_->stream(work, bound);
  if (step.kind == wire::PerfKind::bare_stream_polling)
    return bare_->stream_polling(work, idle(), bound);
  return link_ ? stream_link(work, bound) : stream_lanes(work, bound);
}

// What is said per channel is the link's, all together: it spreads it as it likes.
Status Measurement::stream_link(StreamWork work, const WaitBound& bound) {
  if (environment_->gpu) HAWSER_TRY(environment_->gpu->make_current());
  work.run.messages *= terms_.plan.channels;
  Watch watch(idle(), bound, "the stream");
  return link_->stream(work, idle(), watch);
}

Status Measurement::stream_lanes(const StreamWork& work, const WaitBound& bound) {
  const auto hands = deal_lanes();
  return crew_->run([&](int member) -> Status {
    if (environment_->gpu) HAWSER_TRY(environment_->gpu->make_current());
    Watch watch(idle(), bound, "the stream");
    const Status done = stream(hands[static_cast<std::size_t>(member)], work, watch);
    if (!done.ok()) failed_ = true;
    return done;
  });
}

std::vector<std::vector<Lane*>> Measurement::deal_lanes() {
  std::vector<std::vector<Lane*>> hands(static_cast<std::size_t>(crew_->members()));
  for (std::size_t i = 0; i < lanes_->lanes().size(); ++i)
    hands[i % hands.size()].push_back(&lanes_->lanes()[i]);
  return hands;
}

Status Measurement::ping_pong(const wire::PerfStep& step, std::uint64_t round_trips,
                              LatencyHistogram* latency, const WaitBound& bound) {
  Watch watch(idle(), bound, "the ping-pong");
  if (is_bare(step.kind))
    return client() ? bare_->ping(step.bytes, round_trips, watch, latency)
                    : bare_->pong(step.bytes, round_trips, watch);
  if (link_)
    return client() ? link_->ping(step.bytes, round_trips, idle(), watch, latency)
                    : link_->pong(step.bytes, round_trips, idle(), watch);
  Lane& lane = lanes_->lanes().front();
  return client() ? ping(lane, step.bytes, round_trips, watch, latency)
                  : pong(lane, step.bytes, round_trips, watch);
}

}  // namespace hawser
