#include "fault/engine_traffic.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "support/built.h"

namespace hawser::test {
namespace {

constexpr Milliseconds kTrafficTokenPatience{10'000};

Command fault_peer_command(const FaultSetup& setup) {
  Command command{
      .args = {built("tests/fault/peer/fault_peer")}, .env = {}, .cwd = {}, .netns = setup.netns};
  command.arg(setup.address)
      .arg(std::to_string(setup.port))
      .arg(std::to_string(setup.stall_ms))
      .arg(std::to_string(setup.peer_silence_ms))
      .arg(std::to_string(setup.retry_ms))
      .arg(setup.devices)
      .arg(std::to_string(setup.channels_per_device));
  return command;
}

}  // namespace

EngineOptions FaultSetup::engine() const {
  EngineOptions options;
  options.stall_ms = stall_ms;
  options.peer_silence_ms = peer_silence_ms;
  options.retry_ms = retry_ms;
  std::istringstream names(devices);
  for (std::string name; std::getline(names, name, ',');) options.devices.push_back(name);
  return options;
}

LinkOptions FaultSetup::link() const {
  LinkOptions options;
  options.channels_per_device = channels_per_device;
  options.timeout_ms = 15'000;
  return options;
}

FaultPeer::FaultPeer(const FaultSetup& setup) : process_(fault_peer_command(setup)) {}

// ---- traffic ----

EngineTraffic::EngineTraffic(Engine& engine, Link link)
    : link_(std::move(link)),
      memory_(kTrafficBytes),
      region_(*engine.register_memory(memory_.data(), memory_.size())),
      token_(kRegionTokenBytes),
      token_region_(*engine.register_memory(token_.data(), token_.size())) {
  for (std::uint32_t i = 0; i < kTrafficSlots; ++i) slots_[i].at.slot = i;
  thread_ = std::thread([this] { loop(); });
}

EngineTraffic::~EngineTraffic() {
  stopping_ = true;
  thread_.join();
  for (const Slot& slot : slots_)
    if (slot.step != Step::idle) {
      EXPECT_TRUE(slot.transfer.wait(30'000));
    }
  EXPECT_TRUE(region_.deregister(InFlight::fail).ok());
  EXPECT_TRUE(token_region_.deregister(InFlight::fail).ok());
}

Status EngineTraffic::get_token() {
  TransferOptions options;
  options.timeout_ms = static_cast<int>(kTrafficTokenPatience.count());
  HAWSER_TRY(link_.recv(kTrafficTokenTag, token_region_.span(0, token_.size()), options).result());
  HAWSER_ASSIGN(remote_, RemoteRegion::from_token(token_));
  return {};
}

void EngineTraffic::loop() {
  Status status = get_token();
  {
    const std::lock_guard lock(mutex_);
    stepped_at_ = Clock::system().now();
  }
  Backoff backoff;
  while (status.ok() && !stopping_) {
    bool moved = false;
    status = take_verdicts();
    for (Slot& slot : slots_)
      if (status.ok()) status = look_at(slot, moved);
    moved ? backoff.progressed() : backoff.idle();
  }
  if (status.ok()) return;
  const std::lock_guard lock(mutex_);
  failure_ = status.error();
}

Status EngineTraffic::take_verdicts() {
  while (const auto notification = link_.take_notification()) {
    const auto it = SlotRound::parse(notification->text, "ok");
    if (!it || it->round != slots_[it->slot].at.round || slots_[it->slot].step != Step::writing)
      return Error(Code::data, "the peer says: " + notification->text);
    slots_[it->slot].verdict = true;
  }
  return {};
}

Status EngineTraffic::look_at(Slot& slot, bool& moved) {
  const std::span<std::byte> bytes =
      std::span(memory_).subspan(slot.at.offset(), kTrafficSlotBytes);
  if (slot.step != Step::idle) {
    if (!slot.transfer.done()) return {};
    HAWSER_TRY(slot.transfer.result());
  }
  if (slot.step == Step::writing && !slot.verdict) return link_.status();
  moved = true;
  switch (slot.step) {
    case Step::idle: {
      ++slot.at.round;
      slot.verdict = false;
      fill_pattern(slot.at.key(), 0, bytes);
      TransferOptions options;
      options.notification = slot.at.text("look");
      slot.transfer = link_.write(region_.span(slot.at.offset(), kTrafficSlotBytes),
                                  remote_.at(slot.at.offset()), options);
      slot.step = Step::writing;
      return {};
    }
    case Step::writing:
      std::ranges::fill(bytes, std::byte{0xa5});
      slot.transfer = link_.read(region_.span(slot.at.offset(), kTrafficSlotBytes),
                                 remote_.at(slot.at.offset()));
      slot.step = Step::reading;
      break;
    case Step::reading:
      if (const auto wrong = find_mismatch(slot.at.key(), 0, bytes))
        return Error(Code::data, fmt::format("{} is wrong at {}", slot.at.text("a read of slot"),
                                             wrong->offset));
      slot.step = Step::idle;
      break;
  }
  stepped();
  return {};
}

void EngineTraffic::stepped() {
  steps_.fetch_add(1);
  const TimePoint now = Clock::system().now();
  const std::lock_guard lock(mutex_);
  longest_gap_ = std::max(longest_gap_, now - stepped_at_);
  stepped_at_ = now;
}

Milliseconds EngineTraffic::longest_gap() {
  const std::lock_guard lock(mutex_);
  const auto gap = std::exchange(longest_gap_, std::chrono::nanoseconds(0));
  return std::chrono::duration_cast<Milliseconds>(gap);
}

bool EngineTraffic::wait_steps(std::uint64_t more, Milliseconds patience) {
  const std::uint64_t until = steps() + more;
  return wait_until(patience, [&] { return steps() >= until || failure(); }) && !failure();
}

std::optional<Error> EngineTraffic::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

std::optional<Error> EngineTraffic::wait_failure(Milliseconds patience) const {
  wait_until(patience, [&] { return failure().has_value(); });
  return failure();
}

// ---- help ----

int rounds_of_test(int usual) {
  const char* const wanted = std::getenv("HAWSER_TEST_ROUNDS");
  return wanted != nullptr ? std::max(std::atoi(wanted), 1) : usual;
}

std::size_t channels_up(const LinkReport& report) {
  return static_cast<std::size_t>(
      std::ranges::count(report.channels, ChannelState::up, &ChannelReport::state));
}

std::string describe(const LinkReport& report) {
  std::string text =
      fmt::format("link to {}: {} {}\n", report.peer, report.up ? "up" : "not up", report.reason);
  for (const ChannelReport& channel : report.channels)
    text +=
        fmt::format("  channel {} ({} to {}): {}, {} MB sent, {} MB again, {} failures, {}\n",
                    channel.index, channel.device, channel.peer_device,
                    channel.state == ChannelState::up ? "up" : "not up", channel.bytes_sent >> 20,
                    channel.bytes_sent_again >> 20, channel.failures, channel.last_failure);
  return text;
}

}  // namespace hawser::test
