// One side of a measurement, step by step. Both sides do the same steps at the same time; what
// differs by role is which way the data goes.
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "bootstrap/rendezvous.h"
#include "bootstrap/session.h"
#include "perf/bare_work.h"
#include "perf/crew.h"
#include "perf/host.h"
#include "perf/inbox.h"
#include "perf/lane_set.h"
#include "perf/measured_link.h"
#include "perf/perf.h"
#include "perf/workload.h"

namespace hawser {

// What both sides have agreed on, and what this side was asked.
struct MeasurementTerms {
  Role role = Role::server;
  wire::Plan plan;
  wire::PerfSetup setup;
  PerfOver over = PerfOver::net;
  int threads = 0;
  Milliseconds timeout{0};
  std::string local_address;    // of the control connection: where a device tells none of its own
  std::string bare_congestion;  // empty: the transport's
  bool cpus_chosen = false;
};

// What both sides say of a step.
struct StepReport {
  wire::PerfResult own;
  wire::PerfResult peer;
};

// Driven by one thread at a time; every call keeps to the timeout unless a plugin hangs. Shared,
// since such a thread outlives the run. Members are destroyed from the last to the first.
class Measurement {
 public:
  Measurement(std::shared_ptr<const Environment> environment, MeasurementTerms terms,
              std::unique_ptr<Session> session, std::shared_ptr<Inbox> inbox);

  // The lanes, the bare sockets, and an exchange of who runs on what.
  Status open();
  const MeasurementTerms& terms() const { return terms_; }
  const std::string& own_host() const { return own_host_; }
  const std::string& peer_host() const { return peer_host_; }
  const std::string& bare_congestion() const { return bare_congestion_; }

  // Prepares the data, meets the other side, warms up, measures, verifies, tells. Round trips
  // go to `round_trip_ns`, on the client, where given.
  Result<StepReport> run(const wire::PerfStep& step, LatencyHistogram* round_trip_ns);
  // Server: what comes next.
  Result<wire::PerfStep> next_step();
  // Client: says what comes next.
  Status announce(const wire::PerfStep& step);
  // When all is said; both sides, before either closes its connections.
  Status part();
  void give_up(const std::string& reason) { session_->refuse(reason); }
  void close();

 private:
  WaitBound bound() const;
  Status open_path(const WaitBound& bound);
  Status open_bare(const WaitBound& bound);
  Result<std::vector<UniqueFd>> meet_bare(std::size_t count, const WaitBound& bound);
  Status set_bare_congestion(const std::vector<UniqueFd>& sockets);
  Status exchange_hosts(const WaitBound& bound);
  std::vector<std::vector<Lane*>> deal_lanes();

  Status carry_out(const wire::PerfStep& step, wire::PerfResult& own, LatencyHistogram* latency);
  std::uint64_t cpu_ns() const;
  Status check(const wire::PerfStep& step) const;
  Status prepare(const wire::PerfStep& step);
  Status verify(const wire::PerfStep& step);
  Status meet(std::uint32_t id, const WaitBound& bound);
  Status work(const wire::PerfStep& step, std::uint64_t messages, LatencyHistogram* latency,
              const WaitBound& bound);
  Status stream_lanes(const StreamWork& work, const WaitBound& bound);
  Status stream_link(StreamWork work, const WaitBound& bound);
  Status ping_pong(const wire::PerfStep& step, std::uint64_t round_trips, LatencyHistogram* latency,
                   const WaitBound& bound);
  // Calls `with(buffer, key)` for each buffer that the step moves data from or to, this way or
  // that.
  template <class With>
  Status each_buffer(const wire::PerfStep& step, bool outward, With&& with);
  std::size_t slots(const wire::PerfStep& step) const;
  PerfIdle idle() const { return static_cast<PerfIdle>(terms_.setup.idle - 1); }
  bool client() const { return terms_.role == Role::client; }

  const std::shared_ptr<const Environment> environment_;
  const MeasurementTerms terms_;
  const std::shared_ptr<Inbox> inbox_;
  std::atomic<bool> failed_{false};  // a thread of this side's step gave up: the others end too
  std::string own_host_, peer_host_, bare_congestion_;
  TransportSockets transport_sockets_;
  // One of the two has what is measured.
  std::optional<LaneSet> lanes_;
  std::optional<MeasuredLink> link_;
  std::unique_ptr<Crew> crew_;
  std::unique_ptr<BareLink> bare_;
  const std::unique_ptr<Session> session_;
};

}  // namespace hawser
