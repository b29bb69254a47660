#include "net/tcp/connection.h"

#include <fmt/core.h>

#include <array>

#include "base/socket.h"
#include "base/text.h"
#include "net/tcp/frame.h"

namespace hawser::tcp {
namespace {

iovec part(const void* data, std::size_t bytes) {
  return {const_cast<void*>(data), bytes};
}

}  // namespace

Result<Route> Route::of(int fd, const Device& device) {
  Route route;
  HAWSER_ASSIGN(route.local, sockets::local_address(fd));
  HAWSER_ASSIGN(route.remote, sockets::remote_address(fd));
  const std::vector<Path> paths = device.paths();
  for (const Path& path : paths)
    if (path.has(route.local.ip)) route.interface = path.name;
  if (!route.interface.empty()) return route;
  return Error(Code::system,
               fmt::format("a connection of device {} uses the address {}, not the device's {}: "
                           "the wrong interface, or its address has changed",
                           device.name, route.local.ip.text(), paths.front().address().text()));
}

std::string Route::text() const {
  return fmt::format("{}, {} to {}", interface, local.text(), remote.text());
}

Result<Connection> Connection::of(UniqueFd&& fd, Device& device) {
  Connection connection;
  HAWSER_ASSIGN(static_cast<Route&>(connection), Route::of(fd.get(), device));
  connection.fd = std::move(fd);
  connection.device = &device;
  return connection;
}

void send_abort(const Connection& connection, const std::string& reason) {
  const std::size_t bytes = std::min(reason.size(), kMaxAbortTextBytes);
  const HeaderBytes header = encode_header({FrameType::abort, 0, 0, 0, 0, bytes});
  const std::array<std::byte, kMaxTrailerBytes> trailer{};
  std::array<iovec, 3> parts{part(header.data(), header.size()), part(reason.data(), bytes),
                             part(trailer.data(), trailer_bytes(bytes))};
  // Best effort: closing tells the peer enough.
  static_cast<void>(sockets::send_some(connection.fd.get(), std::span(parts)));
}

std::string read_abort(const Connection& connection) {
  std::array<std::byte, kHeaderBytes + kMaxAbortTextBytes> buffer;
  const sockets::Transfer got = sockets::receive_some(connection.fd.get(), buffer);
  if (got.bytes < kHeaderBytes) return "";
  const auto header = decode_header(std::span(buffer).first<kHeaderBytes>());
  if (!header.ok() || header->type != FrameType::abort) return "";
  const auto* const text = reinterpret_cast<const char*>(buffer.data() + kHeaderBytes);
  return printable({text, std::min<std::size_t>(header->bytes, got.bytes - kHeaderBytes)});
}

}  // namespace hawser::tcp
