#include "base/parameters.h"

#include <fmt/core.h>

#include <charconv>
#include <cstdlib>
#include <limits>

namespace hawser {
namespace parameters {

constexpr std::int64_t kNoMin = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kNoMax = std::numeric_limits<std::int64_t>::max();

const Parameter kLogLevel{
    "HAWSER_LOG_LEVEL",
    ParameterKind::choice,
    "",
    "warning",
    "error|warning|info|debug",
    kNoMin,
    kNoMax,
    "How much is logged to stderr. At debug every call into a plugin is named before it is made."};
const Parameter kCudaLibrary{"HAWSER_CUDA_LIBRARY",
                             ParameterKind::text,
                             "",
                             "libcuda.so.1",
                             "",
                             kNoMin,
                             kNoMax,
                             "The CUDA driver library that is looked up at run time. For a driver "
                             "in an unusual place, and for tests."};
const Parameter kSysfsRoot{
    "HAWSER_SYSFS_ROOT",
    ParameterKind::text,
    "",
    "/sys",
    "",
    kNoMin,
    kNoMax,
    "Where sysfs is mounted: speeds, PCI paths and NUMA nodes of NICs are read below it."};
const Parameter kSocketIfname{
    "HAWSER_SOCKET_IFNAME",
    ParameterKind::text,
    "",
    "",
    "",
    kNoMin,
    kNoMax,
    "Which interfaces the built-in TCP transport offers, and in which order: a comma list of name "
    "prefixes; "
    "`=eth1,eth2` for exact names; `^docker,lo` for all but these prefixes. Unset: every interface "
    "that is up and has an address, NICs first, loopback last; beside a NIC those that are none "
    "(docker0, veth, ...) are used only where a device is named."};
const Parameter kSocketFamily{"HAWSER_SOCKET_FAMILY",
                              ParameterKind::choice,
                              "",
                              "any",
                              "any|ipv4|ipv6",
                              kNoMin,
                              kNoMax,
                              "The address family of the built-in TCP transport. `any` takes an "
                              "interface's IPv4 address, and its IPv6 "
                              "address where it has no IPv4 one."};
const Parameter kNcclSocketIfname{
    "NCCL_SOCKET_IFNAME",
    ParameterKind::text,
    "",
    "",
    "",
    kNoMin,
    kNoMax,
    "As NCCL reads it: what HAWSER_SOCKET_IFNAME is where that is unset."};
const Parameter kNcclSocketFamily{
    "NCCL_SOCKET_FAMILY",
    ParameterKind::choice,
    "",
    "",
    "AF_INET|AF_INET6",
    kNoMin,
    kNoMax,
    "As NCCL reads it: what HAWSER_SOCKET_FAMILY is where that is unset."};
const Parameter kDataPorts{
    "HAWSER_DATA_PORTS",
    ParameterKind::text,
    "",
    "",
    "",
    kNoMin,
    kNoMax,
    "Where data connections of the built-in TCP transport come in: one port, or a range, as in "
    "`30000-30015`. Each device takes the first one that is free at its address, so that "
    "every process of a machine needs one. Unset: any free port."};
const Parameter kAdvertise{
    "HAWSER_ADVERTISE",
    ParameterKind::text,
    "",
    "",
    "",
    kNoMin,
    kNoMax,
    "Under which address others reach the built-in TCP transport, where that is not the "
    "interface's own: behind NAT, or where ports are forwarded (the same numbers: name them with "
    "HAWSER_DATA_PORTS). `203.0.113.7`, or for each device, `eth0=203.0.113.7,eth1=203.0.113.8`."};
const Parameter kSocketBufferBytes{"HAWSER_SOCKET_BUFFER_BYTES",
                                   ParameterKind::integer,
                                   "bytes",
                                   "0",
                                   "",
                                   0,
                                   std::int64_t{1} << 30,
                                   "SO_SNDBUF and SO_RCVBUF of the built-in TCP transport's data "
                                   "sockets. 0 leaves them to the kernel's "
                                   "auto-tuning."};
const Parameter kSocketsPerChannel{
    "HAWSER_SOCKETS_PER_CHANNEL",
    ParameterKind::integer,
    "sockets",
    "0",
    "",
    0,
    64,
    "The built-in TCP transport: at most so many sockets of one connection, the smaller of both "
    "sides' numbers. The further ones are made when the first message of 64 KiB or more is sent. 0 "
    "is one more than there are I/O threads (9 at most), and 4 at least where it is no loopback; "
    "connections keep to one while so many send at once that their callers fill the cores."};
const Parameter kIoThreads{
    "HAWSER_IO_THREADS",
    ParameterKind::integer,
    "threads",
    "-1",
    "",
    -1,
    64,
    "The built-in TCP transport: threads that move large messages, beside whoever polls. They "
    "start "
    "with the first large message and sleep when there is nothing to do. 0: whoever polls does "
    "everything. -1 is half of the CPUs that the process may use (of HAWSER_IO_NUMA_NODE; a "
    "container's quota of CPU time counts), 32 at most, and 0 where there are fewer than 4."};
const Parameter kIoCpus{"HAWSER_IO_CPUS",
                        ParameterKind::text,
                        "CPU list",
                        "",
                        "",
                        kNoMin,
                        kNoMax,
                        "Where the I/O threads may run: a list like `0-3,8`. Unset: on the CPUs of "
                        "HAWSER_IO_NUMA_NODE."};
const Parameter kIoNumaNode{"HAWSER_IO_NUMA_NODE",
                            ParameterKind::integer,
                            "NUMA node",
                            "-1",
                            "",
                            -1,
                            1023,
                            "The NUMA node whose CPUs the I/O threads run on. -1 is the one that "
                            "all the transport's interfaces share; where they share none, the "
                            "threads run wherever the process may."};
const Parameter kIoSpinUs{
    "HAWSER_IO_SPIN_US",
    ParameterKind::integer,
    "µs",
    "50",
    "",
    0,
    1000000,
    "For so long an I/O thread looks on for more work before it sleeps. Longer "
    "is quicker after a pause, and costs a core meanwhile."};
const Parameter kCongestionControl{
    "HAWSER_CONGESTION_CONTROL",
    ParameterKind::text,
    "",
    "auto",
    "",
    kNoMin,
    kNoMax,
    "TCP congestion control of the built-in TCP transport's data sockets. `auto` is the kernel's "
    "default unless that is a BBR, which paces every socket by timers and halves what a fast link "
    "carries; then `cubic`, or `reno` where cubic may not be chosen. `system` is the kernel's "
    "default; anything else is a name that the kernel knows."};
const Parameter kPeerSilenceMs{
    "HAWSER_PEER_SILENCE_MS",
    ParameterKind::integer,
    "milliseconds",
    "20000",
    "",
    1000,
    3600000,
    "The built-in TCP transport: a peer's machine that has answered nothing for so long, though it "
    "was asked several times, is taken for gone, and the connection fails. A process that is "
    "stopped, or does not read, is not: its kernel answers. An idle connection asks after half of "
    "the time, and four more times in the other half, at least a second apart."};
const Parameter kPortBase{
    "HAWSER_PORT_BASE",
    ParameterKind::integer,
    "TCP port",
    "20000",
    "",
    1,
    65535,
    "The port of GPU 0, channel 0. Port of a channel = base + gpu * 8 + channel."};
const Parameter kLinkPeerBytes{
    "HAWSER_LINK_PEER_BYTES",
    ParameterKind::integer,
    "bytes",
    "402653184",
    "",
    1 << 25,
    std::int64_t{1} << 40,
    "What the peer of one link may make this side keep: messages that no receive has met, "
    "notifications that nobody has taken, messages that came before their turn, reads that "
    "wait to be answered, and answers that it does not take. Beyond, small messages are asked "
    "for again when a receive meets them, a read fails, and anything else ends the link. The "
    "default is what 65536 messages and as many of the longest notifications come to: a peer "
    "that keeps to their numbers does not meet it."};
const Parameter kPeerBytes{
    "HAWSER_PEER_BYTES",
    ParameterKind::integer,
    "bytes",
    "536870912",
    "",
    1 << 25,
    std::int64_t{1} << 40,
    "The same for all links of one address together, so that whoever makes more links hardly "
    "gets more. A 64th of what a link may have is its own, whatever others use. The default "
    "is a little more than one link's."};
const Parameter kEnginePeerBytes{
    "HAWSER_ENGINE_PEER_BYTES",
    ParameterKind::integer,
    "bytes",
    "2147483648",
    "",
    1 << 25,
    std::int64_t{1} << 44,
    "The same for all links of an engine together; a 64th of what an address may have is its "
    "own. The default is four addresses that are full, and a small part of the memory that a "
    "machine for this work has."};
const Parameter kLinkChannels{
    "HAWSER_LINK_CHANNELS",
    ParameterKind::integer,
    "channels",
    "256",
    "",
    1,
    1024,
    "How many channels a link has at most, whatever the other side asks for: each has memory "
    "for frames and, once data needs it, for staging. The default is 64 NICs with 4 channels "
    "each."};
const Parameter kLinksPerPeer{
    "HAWSER_LINKS_PER_PEER",
    ParameterKind::integer,
    "links",
    "256",
    "",
    1,
    1 << 20,
    "How many links of one address an engine accepts at a time: many for each GPU of a "
    "machine, and a bound for whoever opens them without end. Raise it where many peers share "
    "an address, as behind NAT."};
const Parameter kPeerDescriptors{
    "HAWSER_PEER_DESCRIPTORS",
    ParameterKind::integer,
    "descriptors",
    "0",
    "",
    0,
    std::int64_t{1} << 31,
    "How many descriptors links that one address has opened may need, 1 for each and 2 for "
    "each channel. 0: three eighths of `ulimit -n`, so that no address uses up what others "
    "need."};
const Parameter kEngineDescriptors{
    "HAWSER_ENGINE_DESCRIPTORS",
    ParameterKind::integer,
    "descriptors",
    "0",
    "",
    0,
    std::int64_t{1} << 31,
    "The same for all links that others have opened together. 0: half of `ulimit -n`; further "
    "sockets of connections have a quarter, and the program the rest."};
const Parameter kPerfBytes{
    "HAWSER_PERF_BYTES",
    ParameterKind::integer,
    "bytes",
    "0",
    "",
    0,
    std::int64_t{1} << 44,
    "What the client of a `hawser perf` server may have it allocate in all: both ways of each "
    "channel and of each bare socket, for the largest size. 0: half of the machine's "
    "memory."};
const Parameter kMaxMessages{
    "HAWSER_MAX_MESSAGES",
    ParameterKind::integer,
    "messages",
    "65536",
    "",
    1,
    1 << 20,
    "An engine: so many messages of a peer may wait for their receives on a link. Further ones "
    "wait at the peer. Each of up to 4096 bytes takes them of this process's memory, and all some "
    "200."};
const Parameter kMaxReads{"HAWSER_MAX_READS",
                          ParameterKind::integer,
                          "reads",
                          "16384",
                          "",
                          1,
                          1 << 20,
                          "An engine: so many reads of a peer may be under way on a link, one for "
                          "each 512 pieces of a read. Further ones wait at the peer. Each takes up "
                          "to 16 KiB of this process's memory."};
const Parameter kMaxNotifications{
    "HAWSER_MAX_NOTIFICATIONS",
    ParameterKind::integer,
    "notifications",
    "65536",
    "",
    1,
    1 << 20,
    "An engine: so many notifications of a peer may wait on a link until they are taken, those "
    "included whose writes are under way. Further ones wait at the peer, with their writes. Each "
    "takes what its text does of this process's memory, and some 200 bytes."};
const Parameter kUnpack{
    "HAWSER_UNPACK",
    ParameterKind::choice,
    "",
    "auto",
    "auto|kernel|d2d|host|none",
    0,
    0,
    "How receives of a plugin with a bounce pool (TCPX) get to their place: one "
    "kernel for all that are there, a driver copy per fragment, through host "
    "memory, or not at all, which measures the network alone and leaves the data "
    "out. auto takes the first of these that memory and driver allow."};
const Parameter kUnpackPoolBytes{
    "HAWSER_UNPACK_POOL_BYTES",
    ParameterKind::integer,
    "bytes",
    "0",
    "",
    0,
    std::int64_t{1} << 40,
    "The size of a plugin's bounce pool, which bounds what is in flight. 0 asks "
    "the CUDA driver; where it cannot tell (a pool in host memory), only the "
    "window bounds."};
const Parameter kNcclNetPlugin{
    "NCCL_NET_PLUGIN",
    ParameterKind::text,
    "",
    "",
    "",
    kNoMin,
    kNoMax,
    "As NCCL reads it: a comma list of plugin paths, `libX.so` names, or short names `x` for "
    "`libnccl-net-x.so`; the first that loads is hosted. `none` is no plugin."};
const Parameter kNcclNet{"NCCL_NET",
                         ParameterKind::text,
                         "",
                         "",
                         "",
                         kNoMin,
                         kNoMax,
                         "As NCCL reads it: a hosted plugin found through NCCL_NET_PLUGIN must "
                         "have this name, in any case."};
const Parameter kNcclTuning{"HAWSER_NCCL_TUNING",
                            ParameterKind::choice,
                            "",
                            "on",
                            "on|off",
                            kNoMin,
                            kNoMax,
                            "Whether libnccl-net-hawser.so, when NCCL first initialises it, sets "
                            "NCCL_P2P_NET_CHUNKSIZE where that is unset."};
const Parameter kNcclP2pNetChunkSize{
    "NCCL_P2P_NET_CHUNKSIZE",
    ParameterKind::integer,
    "bytes",
    "",
    "",
    1,
    std::int64_t{1} << 30,
    "Read by NCCL, not by hawser: the size of the requests that it cuts sends into, the same on "
    "all "
    "ranks. Its own default is 131072; libnccl-net-hawser.so sets 524288 where it is unset."};
const Parameter kTcpxPluginPath{"NCCL_GPUDIRECTTCPX_PLUGIN_PATH",
                                ParameterKind::text,
                                "path",
                                "/usr/local/tcpx/lib64/libnccl-net.so",
                                "",
                                kNoMin,
                                kNoMax,
                                "The GPUDirect-TCPX plugin. Where it is set, or its default "
                                "exists, it is what a validation hosts "
                                "unless told otherwise."};
const Parameter kTcpxDynamicChunkSize{
    "NCCL_DYNAMIC_CHUNK_SIZE",
    ParameterKind::integer,
    "bytes",
    "",
    "",
    4096,
    524288,
    "Read by the GPUDirect-TCPX plugin: its largest request. hawser sets it to its own chunk size "
    "before "
    "the plugin is loaded; where you set it, hawser's chunks are no larger than it, and asking for "
    "larger ones is an error."};
const Parameter kTcpxSocketsPerThread{
    "NCCL_NSOCKS_PERTHREAD",
    ParameterKind::integer,
    "sockets",
    "1",
    "",
    1,
    8,
    "Read by the GPUDirect-TCPX plugin: sockets of a channel, for each of its threads. hawser sets "
    "it to 2 before the plugin is initialised where neither it nor NCCL_SOCKET_NTHREADS is set. "
    "Their product is 8 at most."};
const Parameter kTcpxThreads{
    "NCCL_SOCKET_NTHREADS",
    ParameterKind::integer,
    "threads",
    "1",
    "",
    1,
    16,
    "Read by the GPUDirect-TCPX plugin: threads of a channel, each polling while there is work. "
    "Its product with NCCL_NSOCKS_PERTHREAD is 8 at most."};
const Parameter kTcpxInlineThreshold{
    "NCCL_INLINE_THRESHOLD",
    ParameterKind::integer,
    "bytes",
    "0",
    "",
    0,
    std::int64_t{1} << 30,
    "Read by the GPUDirect-TCPX plugin: messages up to this size go by the control connection, and "
    "the receiver's CPU writes them to GPU memory, which ends its process. hawser refuses all but "
    "0."};
const Parameter kTcpxTxBindings{
    "NCCL_GPUDIRECTTCPX_TX_BINDINGS",
    ParameterKind::text,
    "core sets",
    "",
    "",
    kNoMin,
    kNoMax,
    "Read by the GPUDirect-TCPX plugin: the cores of its sending threads, for each NIC, as in "
    "`eth1:8-21,112-125;eth2:8-21,112-125`. hawser checks it; it shares no core with the receiving "
    "ones."};
const Parameter kTcpxRxBindings{
    "NCCL_GPUDIRECTTCPX_RX_BINDINGS",
    ParameterKind::text,
    "core sets",
    "",
    "",
    kNoMin,
    kNoMax,
    "Read by the GPUDirect-TCPX plugin: the cores of its receiving threads, written and checked as "
    "NCCL_GPUDIRECTTCPX_TX_BINDINGS is."};
const Parameter kTcpxSocketIfname{
    "NCCL_GPUDIRECTTCPX_SOCKET_IFNAME",
    ParameterKind::text,
    "",
    "",
    "",
    kNoMin,
    kNoMax,
    "Read by the GPUDirect-TCPX plugin: the NICs it offers, a comma list of name prefixes. hawser "
    "checks that there are such interfaces."};
const Parameter kTcpxControlDevice{
    "NCCL_GPUDIRECTTCPX_CTRL_DEV",
    ParameterKind::text,
    "",
    "",
    "",
    kNoMin,
    kNoMax,
    "Read by the GPUDirect-TCPX plugin: the interface of its control connections. hawser checks "
    "that it is up and has an address."};
const Parameter kTcpxUnixClientPrefix{
    "NCCL_GPUDIRECTTCPX_UNIX_CLIENT_PREFIX",
    ParameterKind::text,
    "folder",
    "/tmp",
    "",
    kNoMin,
    kNoMax,
    "Read by the GPUDirect-TCPX plugin: the folder of the sockets of its receive manager (RxDM). "
    "hawser checks that they are there and accept connections. The receive manager's own default "
    "is "
    "`/run/tcpx`."};

const Parameter kIsolate{"HAWSER_ISOLATE",
                         ParameterKind::choice,
                         "",
                         "0",
                         "0|1",
                         kNoMin,
                         kNoMax,
                         "1: a hosted plugin runs in a process of its own, as with `--isolate` "
                         "(docs/isolation.md). The built-in transport stays where it is."};
const Parameter kIsolateHangMs{
    "HAWSER_ISOLATE_HANG_MS",
    ParameterKind::integer,
    "milliseconds",
    "5000",
    "",
    10,
    3'600'000,
    "An isolated plugin's isend, irecv, test or irecvConsumed that has not come back for so long "
    "hangs, and its connection fails. None of them is ever to block."};
const Parameter kPluginHost{
    "HAWSER_PLUGIN_HOST",
    ParameterKind::text,
    "path",
    "",
    "",
    kNoMin,
    kNoMax,
    "The program that isolated plugins run in. Unset: the hawser-plugin-host that was installed or "
    "built with this hawser."};

}  // namespace parameters

std::span<const Parameter* const> all_parameters() {
  using namespace parameters;
  static constexpr const Parameter* kAll[] = {
      &kLogLevel,
      &kCudaLibrary,
      &kSysfsRoot,
      &kSocketIfname,
      &kSocketFamily,
      &kNcclSocketIfname,
      &kNcclSocketFamily,
      &kDataPorts,
      &kAdvertise,
      &kSocketBufferBytes,
      &kSocketsPerChannel,
      &kIoThreads,
      &kIoCpus,
      &kIoNumaNode,
      &kIoSpinUs,
      &kCongestionControl,
      &kPeerSilenceMs,
      &kPortBase,
      &kLinkPeerBytes,
      &kPeerBytes,
      &kEnginePeerBytes,
      &kLinkChannels,
      &kLinksPerPeer,
      &kPeerDescriptors,
      &kEngineDescriptors,
      &kPerfBytes,
      &kMaxMessages,
      &kMaxReads,
      &kMaxNotifications,
      &kUnpack,
      &kUnpackPoolBytes,
      &kNcclNetPlugin,
      &kNcclNet,
      &kNcclTuning,
      &kNcclP2pNetChunkSize,
      &kTcpxPluginPath,
      &kTcpxDynamicChunkSize,
      &kTcpxSocketsPerThread,
      &kTcpxThreads,
      &kTcpxInlineThreshold,
      &kTcpxTxBindings,
      &kTcpxRxBindings,
      &kTcpxSocketIfname,
      &kTcpxControlDevice,
      &kTcpxUnixClientPrefix,
      &kIsolate,
      &kIsolateHangMs,
      &kPluginHost,
  };
  return kAll;
}

std::optional<std::string> Parameter::text() const {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

std::string Parameter::text_or_default() const {
  return text().value_or(default_value);
}

Result<std::int64_t> Parameter::integer() const {
  return parse_integer(text_or_default());
}

Result<std::int64_t> Parameter::parse_integer(const std::string& given) const {
  std::int64_t value = 0;
  const char* const end = given.data() + given.size();
  const auto [stop, problem] = std::from_chars(given.data(), end, value);
  if (problem != std::errc() || stop != end || value < min || value > max)
    return Error(Code::invalid_argument,
                 fmt::format("{}={}: want a whole number from {} to {}", name, given, min, max));
  return value;
}

Result<std::string> Parameter::choice() const {
  const std::string given = text_or_default();
  std::string_view rest = choices;
  while (!rest.empty()) {
    const auto bar = rest.find('|');
    if (rest.substr(0, bar) == given) return given;
    rest = bar == std::string_view::npos ? std::string_view() : rest.substr(bar + 1);
  }
  return Error(Code::invalid_argument, fmt::format("{}={}: want one of {}", name, given, choices));
}

namespace {

std::string kind_text(const Parameter& parameter) {
  switch (parameter.kind) {
    case ParameterKind::text:
      return *parameter.unit ? parameter.unit : "text";
    case ParameterKind::integer:
      return fmt::format("{}, {} to {}", parameter.unit, parameter.min, parameter.max);
    case ParameterKind::choice:
      return fmt::format("one of {}", parameter.choices);
  }
  return "";
}

}  // namespace

std::string parameters_markdown() {
  std::string page =
      "# Parameters\n\n"
      "Every environment variable that hawser reads. Generated by `hawser parameters --markdown` "
      "from the one\n"
      "declaration of each in `src/base/parameters.cc`; a test fails when this page is stale.\n";
  for (const Parameter* parameter : all_parameters()) {
    const std::string unset =
        *parameter->default_value ? fmt::format("`{}`", parameter->default_value) : "unset";
    page += fmt::format("\n## {}\n{}. Default: {}.\n\n{}\n", parameter->name, kind_text(*parameter),
                        unset, parameter->doc);
  }
  return page;
}

}  // namespace hawser
