#include <fmt/core.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <map>
#include <thread>

#include "base/result.h"
#include "links/links.h"

namespace hawser::bench {
namespace {

using Seconds = std::chrono::duration<double>;
using std::chrono::steady_clock;

constexpr int kInFlight = 2;
constexpr std::uint64_t kTokenTag = 1;

Result<std::unique_ptr<Engine>> make_engine(const LinksOptions& options) {
  EngineOptions engine;
  engine.devices = options.devices;
  return Engine::create(engine);
}

LinkOptions link_options(const LinksOptions& options) {
  LinkOptions link;
  link.channels_per_device = options.channels;
  return link;
}

// Acknowledged so far, by NIC.
std::map<std::string, std::uint64_t> sent_by_device(const Link& link) {
  std::map<std::string, std::uint64_t> sent;
  for (const ChannelReport& channel : link.report().channels)
    sent[channel.device] += channel.bytes_sent;
  return sent;
}

// What has moved since it was made, or since the last line.
class Meter {
 public:
  explicit Meter(const Link& link) : link_(link) { restart(); }

  void restart() {
    began_ = steady_clock::now();
    before_ = sent_by_device(link_);
  }
  double seconds() const { return Seconds(steady_clock::now() - began_).count(); }
  void print_line() {
    const double took = seconds();
    const auto now = sent_by_device(link_);
    double sum = 0;
    std::string shares;
    for (const auto& [device, bytes] : now) {
      const double rate = static_cast<double>(bytes - before_[device]) / took / 1e9;
      sum += rate;
      shares += fmt::format(" {} {:.3f}", device, rate);
    }
    std::puts(fmt::format("{:.3f} GB/s:{}", sum, shares).c_str());
    std::fflush(stdout);
    restart();
  }

 private:
  const Link& link_;
  steady_clock::time_point began_;
  std::map<std::string, std::uint64_t> before_;
};

Status write_for(const LinksOptions& options, const Link& link, const Region& region,
                 const RemoteRegion& remote) {
  std::array<Transfer, kInFlight> transfers;
  const auto at = [&](std::size_t i) { return i * options.message_bytes; };
  for (std::size_t i = 0; i < transfers.size(); ++i)
    transfers[i] = link.write(region.span(at(i), options.message_bytes), remote.at(at(i)));
  Meter whole(link);
  Meter part(link);
  bool warm = false;
  while (!warm || whole.seconds() < options.seconds) {
    for (std::size_t i = 0; i < transfers.size(); ++i) {
      if (!transfers[i].wait(i == 0 ? 5 : 0)) continue;
      HAWSER_TRY(transfers[i].result());
      transfers[i] = link.write(region.span(at(i), options.message_bytes), remote.at(at(i)));
    }
    if (!warm && whole.seconds() >= options.warm_up_seconds) {
      warm = true;
      whole.restart();
      part.restart();
    }
    if (warm && options.every_ms > 0 && part.seconds() * 1000 >= options.every_ms)
      part.print_line();
  }
  if (options.every_ms == 0) whole.print_line();
  for (const Transfer& transfer : transfers) HAWSER_TRY(transfer.result());
  return {};
}

}  // namespace

Status serve(const LinksOptions& options) {
  HAWSER_ASSIGN(const auto engine, make_engine(options));
  std::vector<std::byte> memory(kInFlight * options.message_bytes, std::byte{1});
  HAWSER_ASSIGN(Region region, engine->register_memory(memory.data(), memory.size()));
  HAWSER_ASSIGN(const auto acceptor,
                engine->listen(options.address, options.port, link_options(options)));
  HAWSER_ASSIGN(const Link link, acceptor->accept(30'000));
  std::vector<std::byte> token = region.token();
  HAWSER_ASSIGN(Region token_region, engine->register_memory(token.data(), token.size()));
  HAWSER_TRY(link.send(kTokenTag, token_region.span(0, token.size())).result());
  while (link.up()) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  return {};
}

Status write(const LinksOptions& options) {
  HAWSER_ASSIGN(const auto engine, make_engine(options));
  std::vector<std::byte> memory(kInFlight * options.message_bytes, std::byte{2});
  HAWSER_ASSIGN(Region region, engine->register_memory(memory.data(), memory.size()));
  HAWSER_ASSIGN(const Link link,
                engine->connect(options.address, options.port, link_options(options)));
  std::vector<std::byte> token(kRegionTokenBytes);
  HAWSER_ASSIGN(Region token_region, engine->register_memory(token.data(), token.size()));
  HAWSER_TRY(link.recv(kTokenTag, token_region.span(0, token.size())).result());
  HAWSER_ASSIGN(const RemoteRegion remote, RemoteRegion::from_token(token));
  HAWSER_TRY(write_for(options, link, region, remote));
  link.close(1000);
  return {};
}

}  // namespace hawser::bench
