// What a host process and its plugin's process say to each other over a unix socket. Both are of
// the same build on the same machine: structs go as they are. Each side checks what it gets.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/log.h"
#include "base/result.h"
#include "net/hosted/hosting.h"
#include "net/net.h"

namespace hawser::isolate {

// One datagram of a SOCK_SEQPACKET socket each: a HostCall or a Reply, and text behind it.
inline constexpr std::size_t kMaxTextBytes = 64 * 1024;
inline constexpr std::size_t kMaxDescriptors = 2;  // with one message
inline constexpr std::uint32_t kMaxSlots = 256;    // requests in flight on a comm
inline constexpr int kMaxDevices = 1024;

enum class HostCallKind : std::uint32_t {
  open,     // first; text: the version and the settings; descriptor: the control memory
  device,   // -> what the device of that index is
  listen,   // `object` becomes a listener of `device` -> its handle
  accept,   // of listener `object`; answered when there is `comm`. Descriptors: its memory, bell
  connect,  // `object` becomes a connector to `handle`, as accept
  register_slots,   // of comm `object` with its plugin
  close_listener,   // not answered; an accept of it ends
  close_connector,  // the same for a connect
  close_comm,       // not answered
  shut_down,        // closes everything; answered when that is done
};

struct HostCall {
  std::uint32_t magic = 0;
  HostCallKind kind = HostCallKind::open;
  std::uint64_t call = 0;    // comes back in the Reply; 0: no answer is wanted
  std::uint32_t object = 0;  // numbers of listeners, connectors and comms: the caller gives them
  std::uint32_t comm = 0;
  std::int32_t device = 0;
  std::int32_t gpu = -1;  // CUDA ordinal, of a comm that is for one; -1: as the plugin was opened
  std::uint32_t slots = 0;
  std::uint64_t slot_bytes = 0;
  // The thread that asks, and what it works on: whoever serves it goes by the same names.
  std::array<char, 16> thread_name{};
  std::array<char, CallLabel::kMaxBytes + 1> label{};
  Handle handle{};
};

// A NetDevice without its texts, which stand behind the Reply, each with a zero byte: name,
// pci_path, address, manner.
struct DeviceFields {
  std::int32_t speed_mbps = 0;
  std::int32_t numa_node = -1;
  std::int32_t port = 0;
  std::int32_t max_comms = 0;
  std::int32_t sockets = 1;
  std::int32_t max_receives = 1;
  std::int32_t devmem = 0;
  float latency_us = 0;
  std::uint64_t guid = 0;
  std::uint64_t max_request_bytes = 0;
  std::int32_t max_requests = 0;
  std::uint8_t host_pointers = 0;
  std::uint8_t registration_per_device = 0;
  std::uint8_t reports_received_bytes = 0;
  std::uint8_t comms_of_a_gpu = 0;
};

struct Reply {
  std::uint32_t magic = 0;
  std::uint32_t failed = 0;  // 0, or 1 + a Code, and the text is the message
  std::uint64_t call = 0;
  std::uint32_t devices = 0;  // open; the texts are the name and the description
  std::uint32_t reserved = 0;
  DeviceFields device;  // device
  Handle handle{};      // listen
};

struct Incoming {
  std::vector<std::byte> bytes;
  std::vector<UniqueFd> descriptors;
};

// Whole messages. An empty `bytes` of receive_bytes: the other side has closed. `wait` false: an
// error rather than waiting for room.
Status send_bytes(int socket, std::span<const std::byte> head, const std::string& text,
                  std::span<const int> descriptors, bool wait);
Result<Incoming> receive_bytes(int socket);

// Head: HostCall or Reply; sets its magic.
template <class Head>
Status send_message(int socket, Head head, const std::string& text,
                    std::span<const int> descriptors, bool wait);
// Code::protocol for what is none, or of another version.
template <class Head>
Result<Head> read_head(const Incoming& incoming, std::string& text);

// Texts one after another, each with a zero byte behind it.
std::string join_texts(const std::vector<std::string>& texts);
Result<std::vector<std::string>> split_texts(const std::string& text, std::size_t most);

// What the plugin is opened with.
struct Settings {
  std::vector<PluginChoice> candidates;
  std::size_t chunk_bytes = kUnpackRequestBytes;
  std::size_t wanted_chunk_bytes = 0;  // as PluginOptions has it
  std::string peer;                    // the same
  int gpu = -1;                        // CUDA ordinal; -1: none
  int max_version = abi::kNewestVersion;
  LogLevel log_level = LogLevel::warning;
};
std::string to_text(const Settings& settings);
// Code::protocol where `text` is of another version of hawser.
Result<Settings> to_settings(const std::string& text);

Reply device_reply(const NetDevice& device, std::string& text);
// The device as a caller of an isolated plugin sees it.
Result<NetDevice> to_device(const Reply& reply, const std::string& text);

Reply error_reply(const Error& error, std::string& text);
Error to_error(const Reply& reply, const std::string& text);
Code to_code(std::uint32_t number);

}  // namespace hawser::isolate
