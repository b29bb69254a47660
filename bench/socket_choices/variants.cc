#include "socket_choices/variants.h"

#include <fmt/core.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <sstream>

#include "perf/sizes.h"

namespace hawser::bench {
namespace {

constexpr int kKiB = 1024;
constexpr int kMiB = 1024 * kKiB;

using Change = std::function<void(Variant&)>;

// Starts from a baseline, and changes one thing.
class Table {
 public:
  explicit Table(std::string congestion) : congestion_(std::move(congestion)) {}

  void stream(const std::string& group, const std::string& name, const Change& change) {
    add(Traffic::stream, group, name, change);
  }
  void ping_pong(const std::string& name, const Change& change) {
    add(Traffic::ping_pong, "latency", name, change);
  }
  std::vector<Variant> take() { return std::move(variants_); }

 private:
  void add(Traffic traffic, const std::string& group, const std::string& name,
           const Change& change) {
    Variant variant = baseline(traffic, congestion_);
    variant.group = group;
    variant.name = name;
    change(variant);
    variants_.push_back(std::move(variant));
  }

  std::string congestion_;
  std::vector<Variant> variants_;
};

Change calls(Calls which) {
  return [which](Variant& v) { v.calls = which; };
}

std::string short_size(std::size_t bytes) {
  const std::size_t mib = kMiB;
  return bytes % mib == 0 ? fmt::format("{}M", bytes / mib) : fmt::format("{}K", bytes / kKiB);
}

// The usual three, so that what this kernel lacks is reported, and whatever else it offers.
std::vector<std::string> congestion_controls() {
  std::vector<std::string> names = {"reno", "cubic", "bbr"};
  std::ifstream file("/proc/sys/net/ipv4/tcp_available_congestion_control");
  for (std::string name; file >> name;)
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  return names;
}

void add_calls(Table& table) {
  table.stream("calls", "blocking", [](Variant&) {});
  table.stream("calls", "polling", calls(Calls::polling));
  table.stream("calls", "epoll", calls(Calls::epoll));
  table.stream("calls", "io_uring", calls(Calls::uring));
  table.stream("zerocopy", "zerocopy", calls(Calls::zerocopy));
}

void add_socket_options(Table& table) {
  for (const int bytes : {256 * kKiB, 512 * kKiB, kMiB, 2 * kMiB, 4 * kMiB})
    table.stream("buffers", "buffers-" + short_size(static_cast<std::size_t>(bytes)),
                 [bytes](Variant& v) {
                   v.socket.send_buffer_bytes = v.socket.receive_buffer_bytes = bytes;
                 });
  table.stream("buffers", "send-buffer-4M",
               [](Variant& v) { v.socket.send_buffer_bytes = 4 * kMiB; });
  table.stream("buffers", "receive-buffer-4M",
               [](Variant& v) { v.socket.receive_buffer_bytes = 4 * kMiB; });
  for (const std::string& name : congestion_controls())
    table.stream("congestion", name, [name](Variant& v) { v.socket.congestion = name; });
  for (const int bytes : {16 * kKiB, 128 * kKiB, kMiB})
    table.stream("notsent-lowat", "notsent-lowat-" + short_size(static_cast<std::size_t>(bytes)),
                 [bytes](Variant& v) { v.socket.notsent_lowat_bytes = bytes; });
  table.stream("quickack", "quickack-start",
               [](Variant& v) { v.socket.quickack = Quickack::at_start; });
  table.stream("quickack", "quickack-each",
               [](Variant& v) { v.socket.quickack = Quickack::after_each_receive; });
  table.stream("busy-poll", "busy-poll-50us", [](Variant& v) { v.socket.busy_poll_us = 50; });
  table.stream("nagle", "nagle", [](Variant& v) { v.socket.nodelay = false; });
}

void add_shapes(Table& table) {
  for (const std::size_t bytes : {16 * kKiB, 64 * kKiB, 256 * kKiB, kMiB, 4 * kMiB})
    table.stream("piece", "piece-" + short_size(bytes),
                 [bytes](Variant& v) { v.piece_bytes = bytes; });
  table.stream("pages", "huge-pages", [](Variant& v) { v.pages = Pages::huge; });
}

void add_latencies(Table& table) {
  table.ping_pong("ping-polling", [](Variant&) {});
  table.ping_pong("ping-polling-nagle", [](Variant& v) { v.socket.nodelay = false; });
  table.ping_pong("ping-blocking", calls(Calls::blocking));
  table.ping_pong("ping-blocking-nagle", [](Variant& v) {
    v.calls = Calls::blocking;
    v.socket.nodelay = false;
  });
  table.ping_pong("ping-epoll", calls(Calls::epoll));
  table.ping_pong("ping-io_uring", calls(Calls::uring));
  table.ping_pong("ping-blocking-busy-poll-50us", [](Variant& v) {
    v.calls = Calls::blocking;
    v.socket.busy_poll_us = 50;
  });
  table.ping_pong("ping-polling-quickack-each",
                  [](Variant& v) { v.socket.quickack = Quickack::after_each_receive; });
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, ',');) parts.push_back(part);
  return parts;
}

bool matches(const Variant& variant, const std::string& word) {
  return variant.name == word || variant.group == word;
}

std::string offered(const std::vector<Variant>& variants) {
  std::string text;
  std::string group;
  for (const Variant& variant : variants) {
    if (variant.group != group) text += fmt::format("\n  {}:", group = variant.group);
    text += " " + variant.name;
  }
  return text;
}

}  // namespace

Variant baseline(Traffic traffic, const std::string& congestion) {
  Variant variant;
  variant.name = variant.group = "baseline";
  variant.traffic = traffic;
  variant.calls = traffic == Traffic::stream ? Calls::blocking : Calls::polling;
  variant.socket.congestion = congestion;
  return variant;
}

std::vector<Variant> all_variants(const std::string& congestion) {
  Table table(congestion);
  add_calls(table);
  add_socket_options(table);
  add_shapes(table);
  add_latencies(table);
  return table.take();
}

Result<std::vector<Variant>> select(const std::vector<Variant>& variants, const std::string& only) {
  if (only.empty()) return variants;
  const std::vector<std::string> words = split(only);
  std::vector<Variant> chosen;
  for (const Variant& variant : variants)
    if (std::any_of(words.begin(), words.end(),
                    [&](const std::string& word) { return matches(variant, word); }))
      chosen.push_back(variant);
  for (const std::string& word : words)
    if (std::none_of(chosen.begin(), chosen.end(),
                     [&](const Variant& variant) { return matches(variant, word); }))
      return Error(Code::invalid_argument,
                   fmt::format("no variant or group '{}'; there are (group: variants){}", word,
                               offered(variants)));
  return chosen;
}

}  // namespace hawser::bench
