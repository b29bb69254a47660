#include "socket_choices/sampler.h"

#include <algorithm>

#include "perf/time.h"
#include "socket_choices/bare_pair.h"

namespace hawser::bench {
namespace {

constexpr std::uint64_t kWarmUpShare = 8;       // of a sample
constexpr std::uint64_t kFirstBytes = 4 << 20;  // of the search for the pace
constexpr std::uint64_t kGrowth = 4;
constexpr int kMaxSteps = 16;  // of the search
constexpr Milliseconds kReasonTimeout{1000};

std::string joined(const std::string& ours, const std::string& theirs) {
  if (theirs.empty() || ours == theirs) return ours;
  return ours.empty() ? "receiving: " + theirs : ours + "; receiving: " + theirs;
}

}  // namespace

Result<Sampler::Sample> Sampler::take(const Variant& variant, std::uint32_t index,
                                      std::size_t message_bytes, std::uint64_t& messages) {
  HAWSER_ASSIGN(const std::string their_note, connect(variant, index, message_bytes));
  if (messages == 0)
    HAWSER_TRY(find_pace(variant, message_bytes, messages));
  else
    HAWSER_TRY(run(variant, message_bytes, std::max<std::uint64_t>(1, messages / kWarmUpShare)));
  HAWSER_ASSIGN(const Timing timing, run(variant, message_bytes, messages));
  Sample sample{timing, joined(link_->note(), their_note)};
  link_.reset();
  HAWSER_TRY(control_.send(Command{}));
  return sample;
}

// Our socket first: what is refused here was never asked for there.
Result<std::string> Sampler::connect(const Variant& variant, std::uint32_t index,
                                     std::size_t message_bytes) {
  HAWSER_ASSIGN(UniqueFd socket, open_socket(variant.socket));
  HAWSER_ASSIGN(const Reply listening, ask({Order::listen, index, message_bytes, 0, 0}));
  HAWSER_ASSIGN(const std::uint16_t port, connect_to(socket.get(), listening.port));
  HAWSER_ASSIGN(const Reply accepted, ask({Order::accept, index, message_bytes, 0, port}));
  HAWSER_ASSIGN(link_, Link::make(std::move(socket), variant, message_bytes, memory_));
  return std::string(accepted.text);
}

Result<Reply> Sampler::ask(const Command& command) {
  HAWSER_TRY(control_.send(command));
  Reply reply;
  HAWSER_TRY(control_.receive(reply, Deadline::after(timeout_ * 2)));
  HAWSER_TRY(reply.status());
  return reply;
}

// More and more, until it takes as long as a warm-up; that is the warm-up, too.
Status Sampler::find_pace(const Variant& variant, std::size_t message_bytes,
                          std::uint64_t& messages) {
  const bool stream = variant.traffic == Traffic::stream;
  std::uint64_t count = stream ? std::max<std::uint64_t>(1, kFirstBytes / message_bytes) : 100;
  for (int step = 0; step < kMaxSteps; ++step) {
    HAWSER_ASSIGN(const Timing timing, run(variant, message_bytes, count));
    const std::uint64_t elapsed_ns = std::max<std::uint64_t>(1, timing.elapsed_ns);
    messages = std::max<std::uint64_t>(1, count * duration_ns_ / elapsed_ns);
    if (elapsed_ns >= duration_ns_ / kWarmUpShare) break;
    count = std::min(count * kGrowth, messages);
  }
  return {};
}

Result<Timing> Sampler::run(const Variant& variant, std::size_t message_bytes,
                            std::uint64_t messages) {
  Timing timing;
  timing.bytes = messages * message_bytes;
  HAWSER_TRY(control_.send({Order::run, 0, message_bytes, messages, 0}));
  if (const Status moved = move(variant.traffic, messages, timing); !moved.ok())
    return with_reason(moved.error());
  Reply reply;
  HAWSER_TRY(control_.receive(reply, Deadline::after(timeout_)));
  HAWSER_TRY(reply.status());
  timing.cpu_ns += reply.cpu_ns;
  return timing;
}

Status Sampler::move(Traffic traffic, std::uint64_t messages, Timing& timing) {
  LatencyHistogram round_trip_ns;
  link_->bound_by(Deadline::after(timeout_));
  const std::uint64_t cpu_before = process_cpu_ns();
  const std::uint64_t before = now_ns();
  HAWSER_TRY(traffic == Traffic::stream ? link_->send_stream(messages)
                                        : link_->ping(messages, round_trip_ns));
  timing.elapsed_ns = now_ns() - before;
  timing.cpu_ns = process_cpu_ns() - cpu_before;
  timing.half_rtt_ns = round_trip_ns.quantile(0.5) / 2;
  return {};
}

// A connection that broke is a symptom: the other process knows the cause, or has ended.
Error Sampler::with_reason(const Error& error) {
  link_.reset();
  Reply reply;
  const Status heard = control_.receive(reply, Deadline::after(kReasonTimeout));
  if (!heard.ok() && heard.error().code() == Code::peer)
    return Error(Code::peer, error.message() + ": " + heard.error().message());
  if (!heard.ok() || reply.ok) return error;
  return Error(Code::peer, error.message() + ": " + reply.status().error().message());
}

}  // namespace hawser::bench
