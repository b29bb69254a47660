// What a process and its plugin's process say to each other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <random>

#include "net/isolated/comm_memory.h"
#include "net/isolated/messages.h"
#include "support/seed.h"

namespace hawser::isolate {
namespace {

struct SocketPair {
  SocketPair() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    a.reset(ends[0]);
    b.reset(ends[1]);
  }
  UniqueFd a, b;
};

TEST(IsolateMessages, GoWholeWithTextAndDescriptors) {
  const SocketPair sockets;
  const UniqueFd event(::eventfd(7, 0));
  HostCall call;
  call.kind = HostCallKind::accept;
  call.call = 42;
  call.handle.fill(std::byte{9});
  const int descriptor = event.get();
  ASSERT_TRUE(send_message(sockets.a.get(), call, "text", std::span(&descriptor, 1), false).ok());
  auto incoming = receive_bytes(sockets.b.get());
  ASSERT_TRUE(incoming.ok());
  std::string text;
  const auto read = read_head<HostCall>(*incoming, text);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->call, 42u);
  EXPECT_EQ(read->kind, HostCallKind::accept);
  EXPECT_EQ(read->handle, call.handle);
  EXPECT_EQ(text, "text");
  ASSERT_EQ(incoming->descriptors.size(), 1u);
  std::uint64_t value = 0;
  EXPECT_EQ(::read(incoming->descriptors[0].get(), &value, sizeof value), 8);
  EXPECT_EQ(value, 7u);
}

TEST(IsolateMessages, AClosedSocketIsAnEmptyMessage) {
  SocketPair sockets;
  sockets.a.reset();
  const auto incoming = receive_bytes(sockets.b.get());
  ASSERT_TRUE(incoming.ok());
  EXPECT_TRUE(incoming->bytes.empty());
}

TEST(IsolateMessages, RefuseToWaitForRoom) {
  const SocketPair sockets;
  const std::string text(kMaxTextBytes, 'x');
  Status sent;
  for (int i = 0; i < 1000 && sent.ok(); ++i)
    sent = send_message(sockets.a.get(), HostCall{}, text, {}, false);
  EXPECT_FALSE(sent.ok());
  EXPECT_FALSE(send_message(sockets.a.get(), HostCall{}, text + "x", {}, true).ok());
}

TEST(IsolateMessages, WhatIsNoneIsAnError) {
  Incoming incoming;
  std::string text;
  EXPECT_FALSE(read_head<Reply>(incoming, text).ok());
  incoming.bytes.resize(sizeof(Reply));
  EXPECT_FALSE(read_head<Reply>(incoming, text).ok()) << "no magic number";
}

TEST(IsolateMessages, SettingsComeBack) {
  Settings settings;
  settings.candidates = {{"a/b.so", "by option", true}, {"", "NCCL_NET_PLUGIN=", false}};
  settings.chunk_bytes = settings.wanted_chunk_bytes = 65536;
  settings.peer = "192.0.2.7";
  settings.gpu = 3;
  settings.max_version = 8;
  settings.log_level = LogLevel::debug;
  const auto read = to_settings(to_text(settings));
  ASSERT_TRUE(read.ok()) << read.error().message();
  ASSERT_EQ(read->candidates.size(), 2u);
  EXPECT_EQ(read->candidates[0].path_or_name, "a/b.so");
  EXPECT_TRUE(read->candidates[0].by_nccl_net_plugin);
  EXPECT_EQ(read->candidates[1].path_or_name, "");
  EXPECT_EQ(read->candidates[1].why, "NCCL_NET_PLUGIN=");
  EXPECT_EQ(read->chunk_bytes, 65536u);
  EXPECT_EQ(read->wanted_chunk_bytes, 65536u);
  EXPECT_EQ(read->peer, "192.0.2.7");
  EXPECT_EQ(read->gpu, 3);
  EXPECT_EQ(read->max_version, 8);
  EXPECT_EQ(read->log_level, LogLevel::debug);
}

TEST(IsolateMessages, SettingsOfAnotherVersionAreRefused) {
  std::string text = to_text({});
  EXPECT_TRUE(to_settings(text).ok());
  text.front() = '9';
  EXPECT_FALSE(to_settings(text).ok());
  EXPECT_FALSE(to_settings("").ok());
}

// Settings that were changed anywhere are read without harm.
TEST(IsolateMessages, SettingsOfAnyContentDoNoHarm) {
  std::mt19937_64 random(test::seed_of_this_run());
  Settings settings;
  settings.candidates = {{"a", "b", false}};
  const std::string good = to_text(settings);
  for (int i = 0; i < 2000; ++i) {
    std::string text = good.substr(0, random() % (good.size() + 1));
    if (!text.empty()) text[random() % text.size()] = static_cast<char>(random());
    static_cast<void>(to_settings(text).ok());
  }
}

TEST(IsolateMessages, ADeviceComesBackAsItsUserSeesIt) {
  NetDevice device;
  device.name = "eth1";
  device.pci_path = "/sys/x";
  device.speed_mbps = 200'000;
  device.devmem = Devmem::emulated;
  device.capabilities.cuda_pointers = device.capabilities.needs_unpack = true;
  device.capabilities.max_requests = 16;
  device.capabilities.max_request_bytes = 524'288;
  std::string text;
  const Reply reply = device_reply(device, text);
  const auto read = to_device(reply, text);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->name, "eth1");
  EXPECT_EQ(read->pci_path, "/sys/x");
  EXPECT_EQ(read->speed_mbps, 200'000);
  EXPECT_EQ(read->devmem, Devmem::emulated);
  EXPECT_EQ(read->capabilities.max_requests, 16);
  EXPECT_TRUE(read->capabilities.host_pointers);
  EXPECT_FALSE(read->capabilities.cuda_pointers);
  EXPECT_FALSE(read->capabilities.needs_unpack);
  EXPECT_FALSE(to_device(reply, "eth1").ok());
  Reply broken = reply;
  broken.device.max_requests = 0;
  EXPECT_FALSE(to_device(broken, text).ok());
  broken = reply;
  broken.device.devmem = 77;
  EXPECT_FALSE(to_device(broken, text).ok());
}

TEST(IsolateMessages, ErrorsComeBack) {
  std::string text;
  const Reply reply = error_reply(Error(Code::peer, "gone"), text);
  EXPECT_EQ(to_error(reply, text).code(), Code::peer);
  EXPECT_EQ(to_error(reply, text).message(), "gone");
  EXPECT_EQ(to_code(12345), Code::internal);
}

TEST(IsolateCommMemory, IsSharedAndItsShapeIsChecked) {
  EXPECT_FALSE(CommMemory::create(0, 4096).ok());
  EXPECT_FALSE(CommMemory::create(kMaxSlots + 1, 4096).ok());
  EXPECT_FALSE(CommMemory::create(4, 4095).ok());
  const auto made = CommMemory::create(4, 8192);
  ASSERT_TRUE(made.ok());
  EXPECT_FALSE(CommMemory::open(UniqueFd(::dup((*made)->memory().fd())), 5, 8192).ok());
  EXPECT_NE(::ftruncate((*made)->memory().fd(), 1), 0) << "its size never changes";
  const auto other = CommMemory::open(UniqueFd(::dup((*made)->memory().fd())), 4, 8192);
  ASSERT_TRUE(other.ok());
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>((*other)->payload().data()) % 4096, 0u);
  std::memset((*made)->slot(7), 0x5a, 8192);
  (*made)->post(6) = {100, 3, 0};
  EXPECT_EQ((*other)->slot(3)[8191], std::byte{0x5a});
  EXPECT_EQ((*other)->slot(2)[0], std::byte{0});
  EXPECT_EQ((*other)->post(2).bytes, 100u);
}

TEST(IsolateCommBell, CallsByBeingReadableOrWritable) {
  for (const bool for_sends : {false, true}) {
    const auto bell = CommBell::create(for_sends);
    ASSERT_TRUE(bell.ok());
    const auto calls = [&] {
      pollfd watched{bell->fd(), static_cast<short>(for_sends ? POLLOUT : POLLIN), 0};
      return ::poll(&watched, 1, 0) == 1;
    };
    EXPECT_FALSE(calls());
    for (int round = 0; round < 3; ++round) {
      bell->ring();
      bell->ring();
      EXPECT_TRUE(calls());
      bell->still();
      bell->still();
      EXPECT_FALSE(calls());
    }
  }
}

}  // namespace
}  // namespace hawser::isolate
