// Makes the lanes of one side: each a channel there and a channel back.
#pragma once

#include <vector>

#include "base/wait.h"
#include "bootstrap/session.h"
#include "channel/channel_manager.h"
#include "perf/inbox.h"
#include "perf/lane.h"
#include "side/environment.h"

namespace hawser {

struct LaneOptions {
  Role role = Role::server;
  int lanes = 1;
  std::size_t ring_bytes = 0;  // allocated for each way; a page for tokens comes on top
  ChannelOptions channel;
};

// Driven by one thread at a time. The members are destroyed from the last to the first:
// registrations go before the buffers they cover.
class LaneSet {
 public:
  LaneSet(const Environment& environment, const LaneOptions& options);

  // Both sides do so at the same time. Handles go over the session, pass 0 from the server, pass 1
  // from the client.
  Status open(Session& session, Inbox& inbox, const WaitBound& bound);
  std::vector<Lane>& lanes() { return lanes_; }
  // No channel may be in use.
  void close();

 private:
  Status listen(Session& session);
  Status hear(Inbox& inbox, const Deadline& deadline);
  Status join(std::size_t lane, const WaitBound& bound);
  Status accept(std::size_t lane, const WaitBound& bound);
  Status connect(std::size_t lane, const WaitBound& bound);
  Status furnish(OneWay& way);
  ChannelKey key(std::size_t lane, bool inward) const;
  // The pass in which this side listens: its way in.
  std::uint32_t own_pass() const { return options_.role == Role::server ? 0 : 1; }

  const Environment& environment_;
  const LaneOptions options_;
  std::vector<Lane> lanes_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<Handle> handles_;  // of the other side's listeners
  ChannelManager manager_;
};

}  // namespace hawser
