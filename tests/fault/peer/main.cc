// The peer of the engine's fault tests, a process that can be killed, stopped and cut off:
//
//   fault_peer ADDRESS PORT STALL_MS PEER_SILENCE_MS RETRY_MS DEVICES CHANNELS_PER_DEVICE
//
// DEVICES is a comma list. It serves every link that comes, until it is killed.
#include <fmt/core.h>
#include <poll.h>

#include <cstdio>
#include <cstdlib>
#include <list>
#include <sstream>
#include <vector>

#include <hawser/engine.h>

#include "fault/peer/traffic.h"

namespace hawser::test {
namespace {

void say(const std::string& line) {
  std::puts(line.c_str());
  std::fflush(stdout);
}

template <class T>
T need(Result<T> result) {
  if (result.ok()) return std::move(*result);
  say("failed: " + result.error().message());
  std::exit(1);
}

// One link, and the memory that is its client's.
class Served {
 public:
  Served(Engine& engine, Link link)
      : link_(std::move(link)),
        memory_(kTrafficBytes),
        region_(need(engine.register_memory(memory_.data(), memory_.size()))),
        token_(region_.token()),
        token_region_(need(engine.register_memory(token_.data(), token_.size()))) {
    link_.send(kTrafficTokenTag, token_region_.span(0, token_.size()));
  }

  // False: it has ended.
  bool look() {
    while (const auto notification = link_.take_notification()) answer(notification->text);
    if (link_.up()) return true;
    const Status status = link_.status();
    say("link ended: " + (status.ok() ? "no reason" : status.error().message()));
    return false;
  }

 private:
  void answer(const std::string& text) {
    if (text == "nothing") return;
    const auto it = SlotRound::parse(text, "look");
    if (!it) return say("strange notification: " + text);
    const auto wrong =
        find_mismatch(it->key(), 0, std::span(memory_).subspan(it->offset(), kTrafficSlotBytes));
    if (wrong) say(fmt::format("wrong byte: {} at {}", text, wrong->offset));
    link_.notify(it->text(wrong ? "bad" : "ok"));
  }

  Link link_;
  std::vector<std::byte> memory_;
  Region region_;
  std::vector<std::byte> token_;
  Region token_region_;
};

EngineOptions engine_options(char** argv) {
  EngineOptions options;
  options.stall_ms = std::atoi(argv[3]);
  options.peer_silence_ms = std::atoi(argv[4]);
  options.retry_ms = std::atoi(argv[5]);
  std::istringstream names(argv[6]);
  for (std::string name; std::getline(names, name, ',');) options.devices.push_back(name);
  return options;
}

int run(char** argv) {
  const auto engine = need(Engine::create(engine_options(argv)));
  LinkOptions options;
  options.channels_per_device = std::atoi(argv[7]);
  const auto acceptor = need(engine->listen(argv[1], std::atoi(argv[2]), options));
  say("listening");
  std::list<Served> links;
  pollfd event{engine->event_fd(), POLLIN, 0};
  while (true) {
    ::poll(&event, 1, 100);
    engine->clear_event();
    while (auto link = acceptor->try_accept()) links.emplace_back(*engine, *std::move(link));
    std::erase_if(links, [](Served& served) { return !served.look(); });
  }
}

}  // namespace
}  // namespace hawser::test

int main(int argc, char** argv) {
  if (argc == 8) return hawser::test::run(argv);
  std::fputs("usage: see the head of the source\n", stderr);
  return 2;
}
