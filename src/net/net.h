// Net: the one interface to a network device. Our own TCP and every hosted NCCL
// plugin implement it; nobody above asks which one it is, only what it can do.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "memory/range.h"

namespace hawser {

class Gpu;

// What a device of a Net offers, and what it demands of its caller.
struct NetCapabilities {
  bool host_pointers = true;
  bool cuda_pointers = false;
  int max_requests = 1;                  // in flight per comm; one more is the caller's bug
  std::size_t max_request_bytes = 0;     // the largest single send or receive
  bool oldest_first = false;             // only the oldest unfinished request may be tested
  bool needs_unpack = false;             // a receive is done when fragments() says where it landed
  bool receives_unregistered = false;    // a receive needs no registration, whatever memory it is
  bool registration_per_device = false;  // one registration serves every comm of the device
  bool registers_whole_pages = false;    // CUDA memory: pages, within one allocation
  std::size_t max_registration_bytes = 0;  // of one; 0: no bound
  bool comms_of_a_gpu = false;             // a comm is one GPU's: name it in CommPlace
  bool one_creation_at_a_time = false;     // listen, connect and accept take turns, by themselves
  bool reports_received_bytes = false;     // TestResult::bytes is set for receives
  // Registered memory that `may_vanish` costs the request that wants it, see TestResult::lost. Else
  // it costs the comm, or the process.
  bool reports_lost_memory = false;
  bool places_without_receive = false;  // can write (region, offset) with no posted receive
  bool connects_to_receive = false;     // listen_to_send() and connect_to_receive() work
};

// Whether CUDA memory reaches the NIC without passing through host memory.
enum class Devmem { none, emulated, real };

struct NetDevice {
  std::string name;      // "eth1"
  std::string pci_path;  // sysfs path; empty for a virtual interface
  std::string address;   // the address it is bound to, where the Net knows it
  std::string manner;    // for people: how its connections are made, where the Net knows it
  int speed_mbps = 0;
  int numa_node = -1;  // -1: none, or not known
  int port = 0;
  std::uint64_t guid = 0;
  float latency_us = 0;
  int max_comms = 0;
  int sockets = 1;  // of one comm, at most, where the Net knows it
  int max_receives = 1;
  Devmem devmem = Devmem::none;
  bool asked_only = false;  // not to be used unless it is named: loopback, docker0 beside an eth0
  bool gone = false;        // it was there, and is not any more
  int mtu = 0;              // 0: not known
  NetCapabilities capabilities;
};

// Where a device of an IP network is reached. A value.
struct Endpoint {
  SocketAddress address;
  int prefix_bits = 0;  // of its network; 0: not known
};

// Where a comm is made: on which device, and, where `comms_of_a_gpu`, for the memory of which GPU.
// A Net that was opened with a GPU takes that one where none is named.
struct CommPlace {
  int device = 0;
  std::shared_ptr<Gpu> gpu;
  std::optional<IpAddress> address;  // of the device's, which to use; none: the Net's choice
  // The way may lose packets of full size: send none of them.
  bool small_packets = false;

  // Implicit: most Nets know nothing of GPUs.
  CommPlace(int on_device, std::shared_ptr<Gpu> for_gpu = nullptr)
      : device(on_device), gpu(std::move(for_gpu)) {}
};

// What a connecting side needs of a listening one; opaque, of fixed size.
inline constexpr std::size_t kHandleBytes = 128;
using Handle = std::array<std::byte, kHandleBytes>;

// A request in flight, and a registration: each Net derives its own. A Request
// belongs to its comm, is valid from the post until test() says done (and, where
// needs_unpack, until consume()), and is never deleted by the caller.
struct Request {};
struct Registration {};

// What went wrong with a request that is done all the same: memory that it was posted with was not
// there any more, on this side or on the peer's. Of a receive the bytes are anything then.
enum class Lost : std::uint8_t { nothing, own, peers };

struct TestResult {
  bool done = false;
  std::optional<std::size_t> bytes;  // received, where the Net reports it
  Lost lost = Lost::nothing;         // else only where `reports_lost_memory`
};

// One piece of a receive that landed in a bounce pool. The layout is the one of
// the unpack contract (docs/net-abi.md), so a plugin's metadata is read in place.
struct Fragment {
  std::uint32_t source_offset;  // from Fragments::bounce
  std::uint32_t bytes;
  std::uint64_t destination_offset;  // from the start of that receive's buffer
};
static_assert(sizeof(Fragment) == 16);

struct Fragments {
  const std::byte* bounce = nullptr;
  MemoryKind bounce_kind = MemoryKind::host;
  std::size_t pool_bytes = 0;      // from `bounce` on; 0: not known
  std::span<const Fragment> list;  // valid until consume(); from the plugin: check before use
  bool gpu_reads_list = true;      // it is pinned
  int bounce_gpu = -1;             // whose memory the pool is; -1: the host's, or not known
};

// One direction of one connection. Not thread-safe; different comms may be
// driven by different threads. Closing (the destructor) needs every request
// finished and every registration of it gone, or it says so in the log.
class Comm {
 public:
  virtual ~Comm() = default;

  // The Registration lives until deregister(). The range must outlive it.
  virtual Result<Registration*> register_memory(const MemoryRange& range) = 0;
  virtual Status deregister(Registration* registration) = 0;

  // Progresses the comm and tells whether the request is done. Never blocks.
  virtual Result<TestResult> test(Request* request) = 0;

  // For callers that sleep: when it can be read (a receiving comm) or written (a sending one), the
  // oldest request that test() just called not done may have got further. -1: there is no such
  // descriptor, and it must be polled. The comm's: valid as long as that.
  virtual int wait_fd() const { return -1; }
};

class SendComm : public Comm {
 public:
  // Posts `bytes` from `data` (inside the registered range). nullptr: too early, call
  // again. Never blocks. The buffer is the Net's until test() says done. The receive that it meets
  // has the same tag: a hosted plugin may match by it, and keep a message back until then.
  virtual Result<Request*> try_send(const void* data, std::size_t bytes, int tag,
                                    Registration* registration) = 0;
};

class ReceiveComm : public Comm {
 public:
  // Receives match sends in posting order. `bytes` must be at least what is sent. Where
  // `receives_unregistered`, `registration` may be null, nothing is written to `data`, and the
  // bytes are wherever the caller puts the fragments.
  virtual Result<Request*> try_receive(void* data, std::size_t bytes, int tag,
                                       Registration* registration) = 0;

  // For Nets that need unpacking: where the bounce pool is.
  virtual MemoryKind bounce_kind() const { return MemoryKind::host; }
  // For Nets that need unpacking, after test() said done and before consume(). An error where a
  // receive of some bytes has ended with none: an empty message needs an empty receive.
  virtual Result<Fragments> fragments(Request* request);
  // Gives the bounce pages back; strictly in posting order, and only once the copy
  // out of them has finished. Ends the request.
  virtual Status consume(Request* request);
};

// test() for those who register no memory that may vanish: a peer's that did is an error.
Result<TestResult> test_whole(Comm& comm, Request* request);

// Waits for one connection; serves one accept.
class Listener {
 public:
  virtual ~Listener() = default;
  virtual const Handle& handle() const = 0;
  // nullptr: not yet, call again. After success: never again. Never blocks.
  virtual Result<std::unique_ptr<ReceiveComm>> try_accept() = 0;
  // For errors: "eth1, 192.0.2.7:4000"; empty: it does not say.
  virtual std::string text() const { return ""; }
};

// One connection being made.
class Connector {
 public:
  virtual ~Connector() = default;
  // nullptr: not yet, call again. After success: never again. Never blocks.
  virtual Result<std::unique_ptr<SendComm>> try_connect() = 0;
  // For errors: "eth1, 192.0.2.9 to 192.0.2.7:4000"; empty: it does not say.
  virtual std::string text() const { return ""; }
};

// The same the other way round: whoever connects receives.
class SendListener {
 public:
  virtual ~SendListener() = default;
  virtual const Handle& handle() const = 0;
  virtual Result<std::unique_ptr<SendComm>> try_accept() = 0;
  virtual std::string text() const { return ""; }
};
class ReceiveConnector {
 public:
  virtual ~ReceiveConnector() = default;
  virtual Result<std::unique_ptr<ReceiveComm>> try_connect() = 0;
  virtual std::string text() const { return ""; }
};

// A look whether there is a way to a peer's endpoint.
class Probe {
 public:
  virtual ~Probe() = default;
  // Empty: not known yet, ask again. Never blocks; it has no deadline of its own.
  virtual std::optional<bool> reached() = 0;
};

// Thread-safe: listen and connect may be called from any thread. Outlives all it made.
class Net {
 public:
  virtual ~Net() = default;

  virtual const std::string& name() const = 0;  // the transport's own name
  virtual const std::string& description()
      const = 0;  // for people: what it is and where it came from
  // Stays as it is; after a refresh() there may be another one. A device keeps its index.
  virtual const std::vector<NetDevice>& devices() const = 0;
  // Looks at what the machine has now.
  virtual Status refresh() { return {}; }

  // From now on this device's connections use that one of its addresses.
  virtual Status use_address(int device, const IpAddress& address);

  virtual Result<std::unique_ptr<Listener>> listen(const CommPlace& place) = 0;
  virtual Result<std::unique_ptr<Connector>> connect(const CommPlace& place,
                                                     const Handle& handle) = 0;

  // Where `connects_to_receive`: for a peer that can be reached in one direction only.
  virtual Result<std::unique_ptr<SendListener>> listen_to_send(const CommPlace& place);
  virtual Result<std::unique_ptr<ReceiveConnector>> connect_to_receive(const CommPlace& place,
                                                                       const Handle& handle);

  // All addresses of a device under which others reach it, and the port; empty: this Net does not
  // tell.
  virtual Result<std::vector<Endpoint>> endpoints(int) { return std::vector<Endpoint>(); }
  // Where connect() and connect_to_receive() go with that handle; empty: this Net does not tell.
  // Code::protocol: nowhere, it is none of this Net's.
  virtual Result<std::vector<SocketAddress>> targets(const Handle&) const {
    return std::vector<SocketAddress>();
  }
  // Whether a connection would get from there to there. Null: this Net cannot find out.
  virtual std::unique_ptr<Probe> probe(const CommPlace&, const Endpoint&) { return nullptr; }

  // Why nothing of it works any more, and never will: a plugin's process that has died.
  virtual std::optional<Error> ended() const { return std::nullopt; }

  // CPU time that was used for it in other processes so far.
  virtual std::chrono::nanoseconds cpu_time_elsewhere() const { return {}; }

  // One more device, whose connections stripe over several of devices(), which go on as they are.
  // The first one made has the index devices().size(), and so on; devices() does not tell of them.
  // Code::unavailable where this Net cannot.
  virtual Result<NetDevice> join(std::span<const int> devices);
};

// The device of that index or name; the error lists what there is.
Result<int> find_device(const Net& net, const std::string& index_or_name);
// Likewise; "eth0/192.0.2.7" also chooses one of its addresses.
Result<int> choose_device(Net& net, const std::string& text);

}  // namespace hawser
