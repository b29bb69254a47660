#include "net/isolated/messages.h"

#include <fmt/core.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace hawser::isolate {
namespace {

constexpr std::uint32_t kRequestMagic = 0x68775132;  // "hwQ2"
constexpr std::uint32_t kReplyMagic = 0x68775232;
constexpr std::size_t kMaxCandidates = 64;
constexpr std::size_t kSettingTexts = 7;    // before the candidates
constexpr std::size_t kCandidateTexts = 3;  // of each

constexpr std::uint32_t magic_of(const HostCall&) {
  return kRequestMagic;
}
constexpr std::uint32_t magic_of(const Reply&) {
  return kReplyMagic;
}

Error not_understood(std::string_view what) {
  return Error(Code::protocol,
               fmt::format("a message between a process and its plugin's process is wrong: {}: are "
                           "both of the same build?",
                           what));
}

// Room for the descriptors of one message.
union ControlBytes {
  cmsghdr aligned;
  char bytes[CMSG_SPACE(kMaxDescriptors * sizeof(int))];
};

void attach(msghdr& message, ControlBytes& control, std::span<const int> descriptors) {
  if (descriptors.empty()) return;
  message.msg_control = control.bytes;
  message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
  cmsghdr* const head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(descriptors.size_bytes());
  std::memcpy(CMSG_DATA(head), descriptors.data(), descriptors.size_bytes());
}

void take_descriptors(msghdr& message, std::vector<UniqueFd>& into) {
  for (cmsghdr* head = CMSG_FIRSTHDR(&message); head != nullptr;
       head = CMSG_NXTHDR(&message, head)) {
    if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(head) + i * sizeof fd, sizeof fd);
      into.emplace_back(fd);
    }
  }
}

Result<std::int64_t> to_number(const std::string& text, std::int64_t min, std::int64_t max) {
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data(), end, value);
  if (problem != std::errc() || stop != end || value < min || value > max)
    return not_understood(fmt::format("'{}' is no number from {} to {}", text, min, max));
  return value;
}

Status check_device_fields(const DeviceFields& fields) {
  const bool sane = fields.max_requests >= 1 && fields.max_request_bytes >= 1 &&
                    fields.devmem >= 0 && fields.devmem <= static_cast<int>(Devmem::real);
  return sane ? Status() : not_understood("a device with impossible properties");
}

}  // namespace

Status send_bytes(int socket, std::span<const std::byte> head, const std::string& text,
                  std::span<const int> descriptors, bool wait) {
  if (text.size() > kMaxTextBytes || descriptors.size() > kMaxDescriptors)
    return not_understood("too long");
  iovec parts[] = {{const_cast<std::byte*>(head.data()), head.size()},
                   {const_cast<char*>(text.data()), text.size()}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = std::size(parts);
  ControlBytes control{};
  attach(message, control, descriptors);
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(socket, &message, MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT));
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) return system_error(errno, "a message to a plugin's process");
  return {};
}

Result<Incoming> receive_bytes(int socket) {
  Incoming incoming;
  incoming.bytes.resize(std::max(sizeof(HostCall), sizeof(Reply)) + kMaxTextBytes);
  iovec part{incoming.bytes.data(), incoming.bytes.size()};
  ControlBytes control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes;
  message.msg_controllen = sizeof control.bytes;
  ssize_t got = 0;
  do {
    got = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got < 0 && errno == ECONNRESET) got = 0;
  if (got < 0) return system_error(errno, "a message of a plugin's process");
  take_descriptors(message, incoming.descriptors);
  if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) return not_understood("too long");
  incoming.bytes.resize(static_cast<std::size_t>(got));
  return incoming;
}

template <class Head>
Status send_message(int socket, Head head, const std::string& text,
                    std::span<const int> descriptors, bool wait) {
  head.magic = magic_of(head);
  return send_bytes(socket, std::as_bytes(std::span(&head, 1)), text, descriptors, wait);
}
template Status send_message(int, HostCall, const std::string&, std::span<const int>, bool);
template Status send_message(int, Reply, const std::string&, std::span<const int>, bool);

template <class Head>
Result<Head> read_head(const Incoming& incoming, std::string& text) {
  Head head;
  if (incoming.bytes.size() < sizeof head) return not_understood("too short");
  std::memcpy(&head, incoming.bytes.data(), sizeof head);
  if (head.magic != magic_of(head)) return not_understood("another magic number");
  const auto rest = std::span(incoming.bytes).subspan(sizeof head);
  text.assign(reinterpret_cast<const char*>(rest.data()), rest.size());
  return head;
}
template Result<HostCall> read_head(const Incoming&, std::string&);
template Result<Reply> read_head(const Incoming&, std::string&);

std::string join_texts(const std::vector<std::string>& texts) {
  std::string joined;
  for (const std::string& text : texts) {
    joined += text.c_str();  // up to a zero byte, if there were one
    joined += '\0';
  }
  return joined;
}

Result<std::vector<std::string>> split_texts(const std::string& text, std::size_t most) {
  std::vector<std::string> texts;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\0', at);
    if (end == std::string::npos || texts.size() == most) return not_understood("its texts");
    texts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return texts;
}

std::string to_text(const Settings& settings) {
  std::vector<std::string> texts = {HAWSER_VERSION,
                                    std::to_string(settings.chunk_bytes),
                                    std::to_string(settings.gpu),
                                    std::to_string(settings.max_version),
                                    std::to_string(static_cast<int>(settings.log_level)),
                                    std::to_string(settings.wanted_chunk_bytes),
                                    settings.peer};
  for (const PluginChoice& choice : settings.candidates) {
    texts.push_back(choice.path_or_name);
    texts.push_back(choice.why);
    texts.push_back(choice.by_nccl_net_plugin ? "1" : "0");
  }
  return join_texts(texts);
}

Result<Settings> to_settings(const std::string& text) {
  HAWSER_ASSIGN(const std::vector<std::string> texts,
                split_texts(text, kSettingTexts + kMaxCandidates * kCandidateTexts));
  if (texts.empty() || texts[0] != HAWSER_VERSION)
    return not_understood("it is not of version " HAWSER_VERSION);
  if (texts.size() < kSettingTexts || (texts.size() - kSettingTexts) % kCandidateTexts != 0)
    return not_understood("its settings");
  Settings settings;
  HAWSER_ASSIGN(const std::int64_t chunk, to_number(texts[1], 0, std::int64_t{1} << 30));
  HAWSER_ASSIGN(const std::int64_t gpu, to_number(texts[2], -1, 8191));
  HAWSER_ASSIGN(const std::int64_t version, to_number(texts[3], 0, 1000));
  HAWSER_ASSIGN(const std::int64_t level,
                to_number(texts[4], 0, static_cast<int>(LogLevel::debug)));
  HAWSER_ASSIGN(const std::int64_t wanted, to_number(texts[5], 0, std::int64_t{1} << 30));
  settings.wanted_chunk_bytes = static_cast<std::size_t>(wanted);
  settings.peer = texts[6];
  settings.chunk_bytes = static_cast<std::size_t>(chunk);
  settings.gpu = static_cast<int>(gpu);
  settings.max_version = static_cast<int>(version);
  settings.log_level = static_cast<LogLevel>(level);
  for (std::size_t i = kSettingTexts; i < texts.size(); i += kCandidateTexts)
    settings.candidates.push_back({texts[i], texts[i + 1], texts[i + 2] == "1"});
  return settings;
}

Reply device_reply(const NetDevice& device, std::string& text) {
  text = join_texts({device.name, device.pci_path, device.address, device.manner});
  const NetCapabilities& can = device.capabilities;
  Reply reply;
  DeviceFields& fields = reply.device;
  fields.speed_mbps = device.speed_mbps;
  fields.numa_node = device.numa_node;
  fields.port = device.port;
  fields.max_comms = device.max_comms;
  fields.sockets = device.sockets;
  fields.max_receives = device.max_receives;
  fields.devmem = static_cast<int>(device.devmem);
  fields.latency_us = device.latency_us;
  fields.guid = device.guid;
  fields.max_request_bytes = can.max_request_bytes;
  fields.max_requests = can.max_requests;
  fields.host_pointers = can.host_pointers;
  fields.registration_per_device = can.registration_per_device;
  fields.reports_received_bytes = can.reports_received_bytes;
  fields.comms_of_a_gpu = can.comms_of_a_gpu;
  return reply;
}

Result<NetDevice> to_device(const Reply& reply, const std::string& text) {
  const DeviceFields& fields = reply.device;
  HAWSER_TRY(check_device_fields(fields));
  HAWSER_ASSIGN(const std::vector<std::string> texts, split_texts(text, 4));
  if (texts.size() != 4) return not_understood("the texts of a device");
  NetDevice device;
  device.name = texts[0];
  device.pci_path = texts[1];
  device.address = texts[2];
  device.manner = texts[3];
  device.speed_mbps = fields.speed_mbps;
  device.numa_node = fields.numa_node;
  device.port = fields.port;
  device.max_comms = fields.max_comms;
  device.sockets = fields.sockets;
  device.max_receives = fields.max_receives;
  device.devmem = static_cast<Devmem>(fields.devmem);
  device.latency_us = fields.latency_us;
  device.guid = fields.guid;
  NetCapabilities& can = device.capabilities;
  can.host_pointers = fields.host_pointers != 0;
  can.max_requests = std::min<int>(fields.max_requests, static_cast<int>(kMaxSlots));
  can.max_request_bytes = fields.max_request_bytes;
  can.oldest_first = true;
  can.registration_per_device = fields.registration_per_device != 0;
  can.reports_received_bytes = fields.reports_received_bytes != 0;
  can.comms_of_a_gpu = fields.comms_of_a_gpu != 0;
  return device;
}

Reply error_reply(const Error& error, std::string& text) {
  text = error.message().substr(0, kMaxTextBytes);
  Reply reply;
  reply.failed = 1 + static_cast<std::uint32_t>(error.code());
  return reply;
}

Code to_code(std::uint32_t number) {
  return number <= static_cast<std::uint32_t>(Code::internal) ? static_cast<Code>(number)
                                                              : Code::internal;
}

Error to_error(const Reply& reply, const std::string& text) {
  return Error(to_code(reply.failed - 1), text);
}

}  // namespace hawser::isolate
