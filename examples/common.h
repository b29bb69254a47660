// What the examples share: giving up with a reason, bytes that can be checked, exchanging a token,
// waiting for a notification, and the words of their command lines.
#pragma once

#include <poll.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <functional>
#include <iostream>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <hawser/hawser.hpp>

namespace example {

constexpr int kPatienceMs = 30'000;
constexpr int kDefaultPort = 20500;
constexpr std::uint64_t kTokenTag = 1;
constexpr int kSkipped = 77;  // the exit status of a program that this machine cannot run

// Thrown, so that an engine ends before the memory that was registered with it.
class Skip : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The value, or the end of the program, which says what it was doing.
template <class T>
T need(hawser::Result<T> result, const std::string& doing) {
  if (!result.ok()) throw std::runtime_error(doing + ": " + result.error().message());
  return std::move(*result);
}

inline void need(const hawser::Status& status, const std::string& doing) {
  if (!status.ok()) throw std::runtime_error(doing + ": " + status.error().message());
}

// Bytes that differ from place to place and from seed to seed, so that a lost, doubled or misplaced
// piece shows.
inline std::byte expected_byte(std::uint64_t seed, std::uint64_t at) {
  return static_cast<std::byte>(((seed << 40) + at + 1) * 0x9e3779b97f4a7c15u >> 56);
}

inline void fill(std::span<std::byte> bytes, std::uint64_t seed) {
  for (std::size_t at = 0; at < bytes.size(); ++at) bytes[at] = expected_byte(seed, at);
}

inline void check(std::span<const std::byte> bytes, std::uint64_t seed) {
  for (std::size_t at = 0; at < bytes.size(); ++at)
    if (bytes[at] != expected_byte(seed, at))
      throw std::runtime_error("a wrong byte at offset " + std::to_string(at));
}

// A token is a few bytes, which may go to the peer by any way. This one is hawser itself: a
// message, from memory that is registered for as long as that takes.
inline void send_token(hawser::Engine& engine, const hawser::Link& link,
                       const hawser::Region& region) {
  std::vector<std::byte> token = region.token();
  hawser::Region outbox = need(engine.register_memory(token.data(), token.size()), "registering");
  need(link.send(kTokenTag, outbox.span(0, token.size())).result(), "sending a token");
  need(outbox.deregister(), "deregistering");
}

inline hawser::RemoteRegion receive_token(hawser::Engine& engine, const hawser::Link& link) {
  std::vector<std::byte> token(hawser::kRegionTokenBytes);
  hawser::Region inbox = need(engine.register_memory(token.data(), token.size()), "registering");
  need(link.recv(kTokenTag, inbox.span(0, token.size())).result(), "receiving a token");
  need(inbox.deregister(), "deregistering");
  return need(hawser::RemoteRegion::from_token(token), "reading a token");
}

// As an event loop would: sleeps in poll(2) while there is nothing to do. The event is cleared
// before looking; what arrives after the look sets it again, and is not missed. Whether the link is
// up is asked before the look, too: a peer may say its last word and close.
inline std::string wait_for_notification(hawser::Engine& engine, const hawser::Link& link) {
  pollfd event{engine.event_fd(), POLLIN, 0};
  for (;;) {
    engine.clear_event();
    const hawser::Status up = link.status();
    if (const auto notification = link.take_notification()) return notification->text;
    need(up, "waiting for a notification");
    if (poll(&event, 1, kPatienceMs) == 0) throw std::runtime_error("no notification for too long");
  }
}

// The last word, and the end of the link once it has arrived. Nobody answers it: whether it was
// heard, the peer knows.
inline void say_and_close(const hawser::Link& link, const std::string& text) {
  link.notify(text);
  link.close(kPatienceMs);
}

// "server [PORT]" or "client ADDRESS [PORT]".
struct Role {
  bool serves = false;
  std::string address;
  int port = kDefaultPort;
};

inline bool read_role(std::span<char* const> words, Role& role) {
  if (words.empty()) return false;
  const std::string name = words[0];
  role.serves = name == "server";
  const std::size_t fixed = role.serves ? 1 : 2;
  if ((!role.serves && name != "client") || words.size() < fixed || words.size() > fixed + 1)
    return false;
  if (!role.serves) role.address = words[1];
  if (words.size() > fixed) role.port = std::atoi(words[fixed]);
  return true;
}

inline int usage(const std::string& program) {
  std::cerr << "usage: " << program << " server [PORT]\n       " << program
            << " client ADDRESS [PORT]\n";
  return 2;
}

// Runs it, and turns what it throws into a line and an exit status.
inline int run(const std::function<void()>& program) {
  try {
    program();
    return 0;
  } catch (const Skip& reason) {
    std::cerr << "skipped: " << reason.what() << '\n';
    return kSkipped;
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return 1;
  }
}

}  // namespace example
