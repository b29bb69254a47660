#include "net/net.h"

#include <fmt/core.h>

#include <charconv>

namespace hawser {

Result<Fragments> ReceiveComm::fragments(Request*) {
  return Error(Code::internal, "fragments() asked of a Net that needs no unpacking");
}

Status ReceiveComm::consume(Request*) {
  return Error(Code::internal, "consume() asked of a Net that needs no unpacking");
}

Result<TestResult> test_whole(Comm& comm, Request* request) {
  HAWSER_ASSIGN(const TestResult result, comm.test(request));
  if (result.lost == Lost::nothing) return result;
  return Error(Code::peer, "the memory that the peer sent from is not there any more");
}

Result<int> find_device(const Net& net, const std::string& index_or_name) {
  const auto& devices = net.devices();
  std::string offered;
  for (std::size_t i = 0; i < devices.size(); ++i) {
    if (devices[i].name == index_or_name) return static_cast<int>(i);
    offered += fmt::format("{}{} ({})", i ? ", " : "", i, devices[i].name);
  }
  std::size_t index = 0;
  const char* const end = index_or_name.data() + index_or_name.size();
  const auto [stop, problem] = std::from_chars(index_or_name.data(), end, index);
  if (problem == std::errc() && stop == end && index < devices.size())
    return static_cast<int>(index);
  return Error(Code::invalid_argument, fmt::format("no device '{}': {} offers {}", index_or_name,
                                                   net.name(), offered.empty() ? "none" : offered));
}

Result<int> choose_device(Net& net, const std::string& text) {
  const std::size_t slash = text.find('/');
  HAWSER_ASSIGN(const int device, find_device(net, text.substr(0, slash)));
  if (slash == std::string::npos) return device;
  const auto address = IpAddress::parse(text.substr(slash + 1));
  if (!address)
    return Error(Code::invalid_argument,
                 fmt::format("'{}': '{}' is no address; want eth0, or eth0/192.0.2.7", text,
                             text.substr(slash + 1)));
  HAWSER_TRY(net.use_address(device, *address));
  return device;
}

Status Net::use_address(int, const IpAddress&) {
  return Error(Code::unavailable, description() + " chooses the addresses of its devices itself");
}

Result<std::unique_ptr<SendListener>> Net::listen_to_send(const CommPlace&) {
  return Error(Code::internal, description() + " sends to those that it connects to alone");
}

Result<std::unique_ptr<ReceiveConnector>> Net::connect_to_receive(const CommPlace&, const Handle&) {
  return Error(Code::internal, description() + " receives from those that connect to it alone");
}

Result<NetDevice> Net::join(std::span<const int>) {
  return Error(Code::unavailable, description() + " cannot join devices");
}

}  // namespace hawser
