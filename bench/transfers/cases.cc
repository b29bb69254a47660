#include "transfers/cases.h"

#include <fmt/core.h>

#include <chrono>
#include <deque>
#include <numeric>
#include <random>
#include <utility>

namespace hawser::bench {
namespace {

using Time = std::chrono::steady_clock;
constexpr std::size_t kInFlight = 4;
constexpr int kPings = 3000;

double seconds_since(Time::time_point start) {
  return std::chrono::duration<double>(Time::now() - start).count();
}

// Blocks in a random order on both sides, with gaps.
std::vector<Block> scattered(std::uint64_t bytes, std::uint64_t block) {
  const std::uint64_t count = bytes / block;
  std::vector<std::uint64_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  std::mt19937_64 random(7);
  std::shuffle(order.begin(), order.end(), random);
  std::vector<Block> blocks;
  for (std::uint64_t i = 0; i < count; ++i)
    blocks.push_back({2 * order[i] * block, 2 * order[count - 1 - i] * block, block});
  return blocks;
}

Result<double> stream(Peer& peer, const Case& what, int duration_ms) {
  const std::vector<Block> blocks =
      what.block == 0 ? std::vector<Block>{{0, 0, what.bytes}} : scattered(what.bytes, what.block);
  std::deque<Transfer> under_way;
  std::uint64_t done = 0;
  const auto start = Time::now();
  while (seconds_since(start) * 1000 < duration_ms) {
    under_way.push_back(peer.link().write(peer.outgoing(), peer.incoming_there(), blocks));
    if (under_way.size() < kInFlight) continue;
    HAWSER_TRY(under_way.front().result());
    under_way.pop_front();
    done += what.bytes;
  }
  for (const Transfer& transfer : under_way) {
    HAWSER_TRY(transfer.result());
    done += what.bytes;
  }
  return static_cast<double>(done) / seconds_since(start) / 1e9;
}

// Looks without a pause: a wake-up would be most of what is measured.
Status hear_at_once(Peer& peer) {
  const auto start = Time::now();
  while (!peer.link().take_notification()) {
    if (seconds_since(start) < 30) continue;
    return Error(Code::timeout, "the other process does not answer");
  }
  return {};
}

Result<double> ping_pong(Peer& peer, const Case& what, bool client) {
  TransferOptions options;
  options.notification = "p";
  const auto start = Time::now();
  Transfer last;
  for (int i = 0; i < kPings; ++i) {
    if (!client) HAWSER_TRY(hear_at_once(peer));
    last = peer.link().write(peer.outgoing().span(0, what.bytes), peer.incoming_there().at(0),
                             options);
    if (client) HAWSER_TRY(hear_at_once(peer));
  }
  const double half = seconds_since(start) / kPings / 2 * 1e6;
  HAWSER_TRY(last.result());
  return half;
}

}  // namespace

std::vector<Case> all_cases() {
  constexpr std::uint64_t kMi = 1 << 20;
  return {{"write 1 MiB", Shape::stream, kMi, 0},
          {"write 16 MiB", Shape::stream, 16 * kMi, 0},
          {"write 64 MiB", Shape::stream, 64 * kMi, 0},
          {"4096 x 16 KiB", Shape::blocks, 64 * kMi, 16384},
          {"65536 x 4 KiB", Shape::blocks, 256 * kMi, 4096},
          {"both ways 16 MiB", Shape::both_ways, 16 * kMi, 0},
          {"8 B half RTT", Shape::latency, 8, 0}};
}

Result<double> run(Peer& peer, const Case& what, bool client, int duration_ms) {
  HAWSER_TRY(peer.tell("ready"));
  HAWSER_ASSIGN(const std::string ready, peer.hear());
  double figure = 0;
  if (what.shape == Shape::latency) {
    HAWSER_ASSIGN(figure, ping_pong(peer, what, client));
  } else if (client || what.shape == Shape::both_ways) {
    HAWSER_ASSIGN(figure, stream(peer, what, duration_ms));
  }
  HAWSER_TRY(peer.tell("done"));
  HAWSER_ASSIGN(const std::string done, peer.hear());
  return figure;
}

}  // namespace hawser::bench
