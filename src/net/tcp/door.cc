#include "net/tcp/door.h"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "base/parameters.h"
#include "base/socket.h"

namespace hawser::tcp {
namespace {

constexpr int kBacklog = 512;  // all channels of a device come to one port
constexpr std::size_t kMaxSockets = 16;
constexpr std::size_t kMostAtOnce = 64;  // of a socket

// Errors of accept(2) that say that none waits, or that the one which waited has gone.
bool listens_on(int err) {
  return err == EAGAIN || err == EWOULDBLOCK || err == EINTR || err == ECONNABORTED ||
         err == EPROTO || sockets::is_peer_error(err);
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [stop, problem] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (problem != std::errc() || stop != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

Nonce nonce_of(const Greeting& greeting) {
  Nonce nonce;
  std::copy_n(greeting.begin() + kHeaderBytes, nonce.size(), nonce.begin());
  return nonce;
}

}  // namespace

Result<PortRange> PortRange::parse(const std::string& text) {
  if (text.empty()) return PortRange();
  const std::size_t dash = std::min(text.find('-'), text.size());
  const auto first = parse_port(std::string_view(text).substr(0, dash));
  const auto last =
      dash == text.size() ? first : parse_port(std::string_view(text).substr(dash + 1));
  if (first && last && *first <= *last) return PortRange{*first, *last};
  return Error(Code::invalid_argument,
               fmt::format("'{}' names no ports: want one, or a range, as in 30000-30015", text));
}

std::string PortRange::text() const {
  if (first == 0) return "any";
  return first == last ? fmt::format("{}", first) : fmt::format("{}-{}", first, last);
}

// A small part of the process's descriptors for each device.
Door::Door(PortRange ports)
    : ports_(ports),
      most_(std::clamp<std::uint64_t>(descriptor_limit() / 32, kLeastCandidates, kMaxCandidates)) {}

// ---- opening ----

Result<SocketAddress> Door::open(const std::string& device, const IpAddress& address,
                                 const SocketOptions& options) {
  const std::lock_guard lock(mutex_);
  for (const Socket& socket : sockets_)
    if (socket.address.ip.same_address(address)) return socket.address;
  auto opened = listen(device, address, options);
  if (opened.ok()) return opened;
  return opened.error().within("device " + device);
}

Result<SocketAddress> Door::listen(const std::string& device, const IpAddress& address,
                                   const SocketOptions& options) {
  std::vector<std::uint16_t> wanted;
  if (last_port_ != 0) wanted.push_back(last_port_);
  for (unsigned port = ports_.first; port <= ports_.last; ++port)
    wanted.push_back(static_cast<std::uint16_t>(port));
  UniqueFd fd;
  int err = EADDRINUSE;
  for (std::size_t i = 0; i < wanted.size() && err == EADDRINUSE; ++i) {
    HAWSER_ASSIGN(fd, open_data_socket(address.family, options));
    err = sockets::listen_on(fd, SocketAddress{address, wanted[i]}, kBacklog);
  }
  if (err == EADDRINUSE && ports_.first != 0)
    return Error(Code::system,
                 fmt::format("all ports of {}={} are in use at {}: each process takes one (`ss "
                             "-ltnp` shows which); name more",
                             parameters::kDataPorts.name, ports_.text(), address.text()));
  if (err != 0) return sockets::binding_error(err, fmt::format("listening on {}", address.text()));
  HAWSER_ASSIGN(SocketAddress at, sockets::local_address(fd.get()));
  last_port_ = at.port;
  if (sockets_.size() == kMaxSockets) sockets_.erase(sockets_.begin() + 1);
  sockets_.push_back({std::move(fd), at, fmt::format("data listener {} on {}", at.text(), device)});
  return at;
}

void Door::stay_open() {
  const std::lock_guard lock(mutex_);
  stays_open_ = true;
}

// ---- who comes ----

void Door::expect(const Nonce& nonce) {
  const std::lock_guard lock(mutex_);
  expected_.try_emplace(nonce);
}

void Door::forget(const Nonce& nonce) {
  const std::lock_guard lock(mutex_);
  expected_.erase(nonce);
  if (!expected_.empty() || stays_open_) return;
  candidates_.clear();
  places_.clear();
  sockets_.clear();
}

Result<std::optional<Door::Guest>> Door::next(const Nonce& nonce) {
  std::vector<Line> lines;
  std::optional<Guest> guest;
  Status admitted;
  {
    const std::lock_guard lock(mutex_);
    // Those that are here first: whoever has said its hello by now gives no place to newcomers.
    judge_all();
    std::deque<Guest>& arrived = expected_[nonce];
    if (arrived.empty()) {
      admitted = admit();
      judge_all();
    }
    if (!arrived.empty()) {
      guest = std::move(arrived.front());
      arrived.pop_front();
    }
    lines.swap(lines_);
  }
  for (const Line& line : lines) log_.take(line.level, line.text);
  if (!guest) HAWSER_TRY(admitted);
  return guest;
}

Status Door::admit() {
  for (const Socket& socket : sockets_)
    for (std::size_t i = 0; i < kMostAtOnce && make_room(); ++i) {
      SocketAddress from;
      UniqueFd fd = sockets::accept_one(socket.fd.get(), &from);
      if (!fd.valid() && !listens_on(errno))
        return system_error(errno, "accepting a data connection").within(socket.text);
      if (!fd.valid()) break;
      Candidate candidate;
      candidate.guest.fd = std::move(fd);
      candidate.guest.from = from.text();
      candidate.ip = from.ip;
      candidate.at = socket.text;
      candidate.deadline = Deadline::after(kGreetingTimeout);
      ++places_[from.ip.bytes];
      candidates_.push_back(std::move(candidate));
    }
  return {};
}

// False: all have just come, and none of them is of somebody who has most. The rest wait in the
// sockets' queues. Who is to go may have said his hello by now.
bool Door::make_room() {
  if (candidates_.size() < most_) return true;
  const auto fresh = std::ranges::find_if(candidates_, [](const Candidate& candidate) {
    return candidate.deadline.remaining() >= kGreetingTimeout - kChance;
  });
  const bool all_fresh = fresh == candidates_.begin();
  const auto places = [this](const Candidate& candidate) { return places_.at(candidate.ip.bytes); };
  const auto victim = std::ranges::max_element(candidates_.begin(),
                                               all_fresh ? candidates_.end() : fresh, {}, places);
  if (all_fresh && places(*victim) <= most_ / 2) return false;
  const auto index = static_cast<std::size_t>(victim - candidates_.begin());
  if (!decide(index)) drop(index, fmt::format("it was silent while {} others came", most_));
  return true;
}

void Door::judge_all() {
  for (std::size_t i = 0; i < candidates_.size();)
    if (!decide(i)) ++i;
}

// False: it has not said enough for that. Else it is no candidate any more.
bool Door::decide(std::size_t index) {
  std::string why;
  LogLevel level = LogLevel::warning;
  const Verdict verdict = judge(candidates_[index], why, level);
  if (verdict == Verdict::stray) drop(index, why, level);
  if (verdict == Verdict::welcome) remove(index);
  return verdict != Verdict::waiting;
}

void Door::remove(std::size_t index) {
  const auto at = candidates_.begin() + static_cast<std::ptrdiff_t>(index);
  const auto places = places_.find(at->ip.bytes);
  if (--places->second == 0) places_.erase(places);
  candidates_.erase(at);
}

// Whoever only looks whether there is a way says nothing, and goes.
Door::Verdict Door::judge(Candidate& candidate, std::string& why, LogLevel& level) {
  const sockets::Transfer got = sockets::receive_some(
      candidate.guest.fd.get(), std::span(candidate.guest.greeting).subspan(candidate.have));
  candidate.have += got.bytes;
  const std::size_t header = std::min(candidate.have, kHeaderBytes);
  const Status known =
      check_greeting(std::span(candidate.guest.greeting).first(header), FrameType::hello, Nonce{});
  if (!known.ok()) {
    why = known.error().message();
  } else if (candidate.have == kGreetingBytes) {
    return let_in(candidate, why);
  } else if (got.state == sockets::Transfer::State::closed ||
             got.state == sockets::Transfer::State::failed) {
    why = "it went before it said who it is";
    if (candidate.have == 0) level = LogLevel::info;
  } else if (candidate.deadline.expired()) {
    why = fmt::format("it did not say who it is within {} ms", kGreetingTimeout.count());
  } else {
    return Verdict::waiting;
  }
  return Verdict::stray;
}

Door::Verdict Door::let_in(Candidate& candidate, std::string& why) {
  const Greeting& greeting = candidate.guest.greeting;
  const Nonce nonce = nonce_of(greeting);
  const Status whole = check_greeting(greeting, FrameType::hello, nonce);
  const auto host = expected_.find(nonce);
  if (!whole.ok()) {
    why = whole.error().message();
  } else if (host == expected_.end()) {
    why = "its nonce is none that is awaited";
  } else if (host->second.size() >= kMaxFlows) {
    why = "too many have come with its nonce";
  } else {
    host->second.push_back(std::move(candidate.guest));
    return Verdict::welcome;
  }
  return Verdict::stray;
}

void Door::drop(std::size_t index, const std::string& why, LogLevel level) {
  const Candidate& candidate = candidates_[index];
  lines_.push_back({level, fmt::format("{}: dropped a connection from {}: {}", candidate.at,
                                       candidate.guest.from, why)});
  remove(index);
}

}  // namespace hawser::tcp
