// A link as users of the transfer API have it, for a measurement: an engine, a link to the other
// side's engine, and memory that both have registered.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include <hawser/engine.h>

#include "bootstrap/session.h"
#include "perf/inbox.h"
#include "perf/workload.h"
#include "side/environment.h"
#include "side/link_memory.h"

namespace hawser {

struct MeasuredLinkOptions {
  Role role = Role::server;
  int channels = 1;
  int threads = 0;  // that move data; 0: as the engine thinks best
  std::size_t chunk_bytes = 0;
  std::size_t ring_bytes = 0;  // of each way
  std::string address;         // server: to listen on, where the device has none
};

// Does with one-sided writes what lanes do with messages: a message is a write, and has arrived
// when it is done, which means applied in the other side's memory. Driven by one thread at a time.
// Its transport outlives it.
class MeasuredLink {
 public:
  explicit MeasuredLink(MeasuredLinkOptions options) : options_(std::move(options)) {}

  // Both sides do so at the same time. Where to connect to, and what names the memory, go over the
  // session as handles.
  Status open(const Environment& environment, Session& session, Inbox& inbox,
              const WaitBound& bound);
  Buffer& outgoing() { return out_->buffer(); }
  Buffer& incoming() { return in_->buffer(); }

  // All messages of the run, as many under way as there are slots; the thread sleeps until they are
  // done, unless `idle` is spin. Back on the client when the
  // server has every byte, on the server when it has been told so, and on both when what comes the
  // other way has come.
  Status stream(const StreamWork& work, PerfIdle idle, Watch& watch);
  // A write with a notification there, and one back.
  Status ping(std::size_t bytes, std::uint64_t round_trips, PerfIdle idle, Watch& watch,
              LatencyHistogram* round_trip_ns);
  Status pong(std::size_t bytes, std::uint64_t round_trips, PerfIdle idle, Watch& watch);
  // Nothing may be under way.
  void close();

 private:
  Status listen(const Environment& environment, Session& session, const WaitBound& bound);
  Status call(Inbox& inbox, const WaitBound& bound);
  Status exchange_tokens(Session& session, Inbox& inbox, const WaitBound& bound);
  LinkOptions link_options() const;
  Transfer write(std::size_t offset, std::size_t bytes, const TransferOptions& options) const;
  Status send_all(const MessageRun& run, PerfIdle idle, Watch& watch);
  Status hear(PerfIdle idle, Watch& watch) const;
  Status hear_polling(Watch& watch) const;
  Status hear_waiting(Watch& watch) const;
  std::uint32_t own_pass() const { return options_.role == Role::server ? 0 : 1; }

  const MeasuredLinkOptions options_;
  std::string device_;
  int gpu_ = -1;  // whose memory it is; -1: of the host
  std::uint64_t look_ns_ = 0;
  std::unique_ptr<Engine> engine_;
  std::optional<LinkMemory> out_, in_;
  RemoteRegion there_;
  Link link_;
};

}  // namespace hawser
