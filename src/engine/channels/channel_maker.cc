#include "engine/channels/channel_maker.h"

#include <fmt/core.h>

#include <new>
#include <thread>
#include <utility>

namespace hawser::engine {
namespace {

constexpr Milliseconds kWithoutMemory{10};

}  // namespace

void Making::set_peer_handle(const Handle& handle) {
  const std::lock_guard lock(mutex_);
  peer_handle_ = handle;
}

void Making::cancel(const Error& why) {
  const std::lock_guard lock(mutex_);
  if (!cancelled_) cancelled_ = why;
}

// Without memory it is tried again, until the deadline; what had been made by then is not kept.
bool Making::poll() {
  moved_ = false;
  try {
    return look();
  } catch (const std::bad_alloc&) {
    return false;
  }
}

bool Making::look() {
  const Result<bool> done = step();
  if (done.ok() && !*done) return false;
  connector_.reset();
  listener_.reset();
  if (done.ok()) {
    outcome_.made(std::move(ends_));
  } else {
    ends_.send.reset();
    ends_.receive.reset();
    outcome_.failed(done.error());
  }
  return true;
}

Result<bool> Making::step() {
  std::optional<Handle> peer_handle;
  {
    const std::lock_guard lock(mutex_);
    if (cancelled_) return *cancelled_;
    peer_handle = peer_handle_;
  }
  if (deadline_.expired())
    return Error(Code::timeout,
                 fmt::format("{} within {} ms", progress_text(), deadline_.timeout().count()));
  if (listener_ == nullptr && ends_.receive == nullptr) {
    const NetDevice& device = net_->devices()[static_cast<std::size_t>(place_.device)];
    ends_.capabilities = device.capabilities;
    ends_.numa_node = device.numa_node;
    HAWSER_ASSIGN(listener_, net_->listen(place_));
    outcome_.offer(listener_->handle());
    moved_ = true;
  }
  if (peer_handle && connector_ == nullptr && ends_.send == nullptr) {
    HAWSER_ASSIGN(connector_, net_->connect(place_, *peer_handle));
    moved_ = true;
  }
  if (listener_ != nullptr) {
    HAWSER_ASSIGN(std::unique_ptr<ReceiveComm> receive, listener_->try_accept());
    ends_.receive = std::move(receive);
    if (ends_.receive != nullptr) listener_.reset();
  }
  if (connector_ != nullptr) {
    HAWSER_ASSIGN(std::unique_ptr<SendComm> send, connector_->try_connect());
    ends_.send = std::move(send);
    if (ends_.send != nullptr) connector_.reset();
  }
  return ends_.send != nullptr && ends_.receive != nullptr;
}

std::string Making::progress_text() const {
  if (ends_.send == nullptr && ends_.receive == nullptr)
    return connector_ == nullptr ? "the peer did not offer its end of the channel"
                                 : "neither way of the channel could be connected";
  return ends_.send == nullptr ? "the way to the peer could not be connected"
                               : "the peer did not connect its way to us";
}

Result<std::unique_ptr<ChannelMaker>> ChannelMaker::start() {
  std::unique_ptr<ChannelMaker> maker(new ChannelMaker());
  HAWSER_ASSIGN(maker->thread_, Thread::start("hw-make", [self = maker.get()] { self->loop(); }));
  return maker;
}

ChannelMaker::~ChannelMaker() {
  call_back();
  thread_.join();
}

void ChannelMaker::call_back() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  something_.notify_all();
}

void ChannelMaker::abandon(std::shared_ptr<void> all) {
  kept_ = std::move(all);
  thread_.abandon();
}

void ChannelMaker::add(std::shared_ptr<Making> making) {
  {
    const std::lock_guard lock(mutex_);
    arriving_.push_back(std::move(making));
  }
  something_.notify_all();
}

void ChannelMaker::loop() {
  std::vector<std::shared_ptr<Making>> all;
  Backoff backoff;
  while (true) {
    try {
      std::unique_lock lock(mutex_);
      if (all.empty()) something_.wait(lock, [this] { return stopping_ || !arriving_.empty(); });
      if (stopping_) break;
      all.reserve(all.size() + arriving_.size());
      for (auto& making : arriving_) all.push_back(std::move(making));
      arriving_.clear();
    } catch (const std::bad_alloc&) {
      std::this_thread::sleep_for(kWithoutMemory);
    }
    bool moved = false;
    std::erase_if(all, [&](const std::shared_ptr<Making>& making) {
      const bool ended = making->poll();
      moved = moved || ended || making->moved();
      return ended;
    });
    if (moved)
      backoff.progressed();
    else
      backoff.idle();
  }
}

}  // namespace hawser::engine
