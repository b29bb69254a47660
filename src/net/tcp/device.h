// What a listener, a connector and a comm need to know of the device they belong to.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/address.h"
#include "memory/page_file.h"
#include "net/tcp/data_socket.h"
#include "net/tcp/door.h"
#include "net/tcp/further_sockets.h"
#include "net/tcp/io_pool.h"
#include "net/tcp/registration.h"

namespace hawser::tcp {

// One interface of a device. A value.
struct Path {
  struct Address {
    IpAddress ip;
    int prefix_bits = 0;  // of its network; 0: not known
  };
  std::string name;
  unsigned interface_index = 0;
  std::vector<Address> addresses;       // the first one is used where nobody says otherwise
  std::optional<IpAddress> advertised;  // how others reach it, where that is none of these
  bool bound = false;                   // connections are bound to it, not only to its address

  const IpAddress& address() const { return addresses.front().ip; }
  bool has(const IpAddress& ip) const;
  // Where to connect from: `preferred`, where it is the interface's; else an address of the
  // target's network, else one of its family; else the first one.
  const IpAddress& source_for(const IpAddress& target,
                              const std::optional<IpAddress>& preferred) const;
};

// Owned by the Net, which outlives all that refers to it. Thread-safe: constant but for its
// addresses, which the machine may change, its door and its registrations.
class Device {
 public:
  explicit Device(PortRange ports) : door(ports) {}

  std::string name;
  SocketOptions socket;
  unsigned flows = 1;  // sockets of one connection, at most
  // Connections keep to their first socket while the Net is crowded: nobody has said how many there
  // are to be, I/O threads are what they are for, and the first one reaches all of the device.
  bool yields = false;
  IoPool* io = nullptr;                 // borrowed from the Net
  FurtherSockets* further = nullptr;    // likewise
  std::shared_ptr<PageFile> page_file;  // for copies to memory that may vanish; null: there is none
  RegistrationTable registrations;
  Door door;

  // One; of a virtual device several, 1 to kMaxPaths, all of one family.
  std::vector<Path> paths() const {
    const std::lock_guard lock(mutex_);
    return paths_;
  }
  void set_paths(std::vector<Path> paths) {
    const std::lock_guard lock(mutex_);
    paths_ = std::move(paths);
  }
  // Flows take the interfaces in turn.
  Path path_of(unsigned flow) const {
    const std::lock_guard lock(mutex_);
    return paths_[flow % paths_.size()];
  }

 private:
  mutable std::mutex mutex_;  // guards what follows
  std::vector<Path> paths_;
};

}  // namespace hawser::tcp
