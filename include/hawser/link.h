// A link: all channels between this engine and one peer's, over all their NICs, as one way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <hawser/export.h>
#include <hawser/region.h>
#include <hawser/result.h>
#include <hawser/transfer.h>

namespace hawser {

namespace engine {
class LinkCore;
}

struct LinkOptions {
  int gpu = -1;  // use the NICs that are nearest to this GPU; -1: all NICs of the engine
  std::vector<std::string> devices;  // or these NICs, by name or index
  int channels_per_device = 0;       // per pair of NICs; 0: as the engine thinks best
  int timeout_ms = 30'000;           // for reaching the peer and making the channels
};

enum class ChannelState { connecting, up, down };

// What one channel of a link has done.
struct ChannelReport {
  int index = 0;
  std::string device;       // the NIC here, "eth1"
  std::string peer_device;  // the NIC there
  ChannelState state = ChannelState::connecting;
  std::uint64_t bytes_sent = 0;        // payload that the peer has acknowledged
  std::uint64_t bytes_received = 0;    // payload that has been applied
  std::uint64_t bytes_sent_again = 0;  // taken over from a channel that went down
  std::uint64_t failures = 0;          // how often it went down
  std::string last_failure;            // why, the last time
  double rate_bytes_per_s = 0;         // of sending, as measured lately; 0: not known
};

struct LinkReport {
  std::string peer;  // "192.0.2.7:20000"
  bool up = false;
  std::string reason;  // where not up: why
  // What the peer has no room for yet (docs/limits.md); of reads each part counts.
  std::uint64_t waiting_for_room = 0;
  std::vector<ChannelReport> channels;
};

struct Notification {
  std::string text;  // any bytes, as the peer gave them
};

// A handle, cheap to copy, thread-safe: every call may be made from any thread, and none but
// close() waits. The link lives until close(), until its peer goes, or until its engine goes.
//
// Local regions must belong to the same engine. Blocks, extents and texts are copied before a call
// returns; the memory is the link's until the transfer has ended. A transfer that cannot be begun
// is not an exception but a Transfer that has failed. Transfers are independent: they may end in
// any order. Messages and receives of one tag meet in the order in which they were posted.
class HAWSER_API Link {
 public:
  Link() = default;
  explicit operator bool() const { return impl_ != nullptr; }

  // One-sided: the peer's program takes no part: link.write(here.span(0, 64), there.at(128)).
  // Offsets and lengths in bytes.
  Transfer write(const RegionSpan& local, const RemotePlace& remote,
                 const TransferOptions& options = {}) const;
  Transfer write(const Region& local, const RemoteRegion& remote, std::span<const Block> blocks,
                 const TransferOptions& options = {}) const;
  Transfer read(const RegionSpan& local, const RemotePlace& remote,
                const TransferOptions& options = {}) const;
  // The same, said with three numbers.
  Transfer write(const Region& local, std::uint64_t local_offset, const RemoteRegion& remote,
                 std::uint64_t remote_offset, std::uint64_t bytes,
                 const TransferOptions& options = {}) const {
    return write(local.span(local_offset, bytes), remote.at(remote_offset), options);
  }
  Transfer read(const Region& local, std::uint64_t local_offset, const RemoteRegion& remote,
                std::uint64_t remote_offset, std::uint64_t bytes,
                const TransferOptions& options = {}) const {
    return read(local.span(local_offset, bytes), remote.at(remote_offset), options);
  }
  Transfer read(const Region& local, const RemoteRegion& remote, std::span<const Block> blocks,
                const TransferOptions& options = {}) const;

  // Two-sided: a message of one tag meets a receive of the same tag at the peer, which must have
  // room for it: where it has not, both fail with Code::invalid_argument.
  Transfer send(std::uint64_t tag, const RegionSpan& local,
                const TransferOptions& options = {}) const;
  Transfer send(std::uint64_t tag, const Region& local, std::span<const Extent> extents,
                const TransferOptions& options = {}) const;
  Transfer recv(std::uint64_t tag, const RegionSpan& local,
                const TransferOptions& options = {}) const;
  // The same, said with two numbers.
  Transfer send(std::uint64_t tag, const Region& local, std::uint64_t offset, std::uint64_t bytes,
                const TransferOptions& options = {}) const {
    return send(tag, local.span(offset, bytes), options);
  }
  Transfer recv(std::uint64_t tag, const Region& local, std::uint64_t offset, std::uint64_t bytes,
                const TransferOptions& options = {}) const {
    return recv(tag, local.span(offset, bytes), options);
  }
  Transfer recv(std::uint64_t tag, const Region& local, std::span<const Extent> extents,
                const TransferOptions& options = {}) const;

  // A notification that arrives after all writes of this link that were asked for before it, and
  // after earlier notifications. Done when it has arrived there. Of the options `timeout_ms` and
  // `only_if_room`.
  Transfer notify(std::string text, const TransferOptions& options = {}) const;
  // The oldest one that has arrived and was not taken. While 65,536 have and none was, further ones
  // wait at the peer, and with them writes that have one.
  std::optional<Notification> take_notification() const;

  bool up() const;
  // Why it is not up.
  Status status() const;
  LinkReport report() const;
  std::string peer() const;

  // Waits at most `timeout_ms` for transfers under way, then ends the link: what is left fails
  // with Code::cancelled here, with Code::peer there.
  void close(int timeout_ms = 0) const;

 private:
  friend class Engine;
  friend class Acceptor;
  explicit Link(std::shared_ptr<engine::LinkCore> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<engine::LinkCore> impl_;
};

}  // namespace hawser
