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
  said_.peer_handle = handle;
}

void Making::receive_from(const Handle& handle) {
  const std::lock_guard lock(mutex_);
  said_.receive_from = handle;
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
  send_listener_.reset();
  receive_connector_.reset();
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
  Said said;
  {
    const std::lock_guard lock(mutex_);
    if (cancelled_) return *cancelled_;
    said = said_;
  }
  if (deadline_.expired())
    return Error(Code::timeout,
                 fmt::format("{} within {} ms", progress_text(), deadline_.timeout().count()));
  if (!begun_) HAWSER_TRY(begin());
  if (ends_.send == nullptr) HAWSER_TRY(make_sender(said.peer_handle));
  HAWSER_TRY(make_receiver(said.receive_from));
  return ends_.send != nullptr && ends_.receive != nullptr;
}

// One that is made again may find another address at its interface.
Status Making::begin() {
  begun_ = true;
  moved_ = true;
  if (ends_.generation > 1) static_cast<void>(net_->refresh().ok());
  const NetDevice& device = net_->devices()[static_cast<std::size_t>(place_.device)];
  ends_.capabilities = device.capabilities;
  ends_.numa_node = device.numa_node;
  HAWSER_ASSIGN(listener_, net_->listen(place_));
  outcome_.offer(listener_->handle(), false);
  return {};
}

Status Making::make_sender(const std::optional<Handle>& peer_handle) {
  if (send_listener_ != nullptr) {
    HAWSER_ASSIGN(std::unique_ptr<SendComm> send, send_listener_->try_accept());
    ends_.send = std::move(send);
    return {};
  }
  if (!peer_handle) return {};
  if (turning_ == Turning::at_once) return turn();
  Status failed;
  if (connector_ == nullptr) {
    auto connector = net_->connect(place_, *peer_handle);
    if (connector.ok())
      connector_ = *std::move(connector);
    else
      failed = connector.error();
    connecting_until_ = Deadline::after(kTurnAfter);
    moved_ = true;
  }
  if (connector_ != nullptr) {
    auto send = connector_->try_connect();
    if (send.ok())
      ends_.send = *std::move(send);
    else
      failed = send.error();
    if (ends_.send != nullptr) connector_.reset();
  }
  const bool may_turn = turning_ == Turning::where_needed && ends_.capabilities.connects_to_receive;
  const bool unreachable = !failed.ok() && failed.error().code() == Code::peer;
  const bool slow = ends_.send == nullptr && failed.ok() && connecting_until_.expired();
  return may_turn && (unreachable || slow) ? turn() : failed;
}

Status Making::turn() {
  connector_.reset();
  HAWSER_ASSIGN(send_listener_, net_->listen_to_send(place_));
  ends_.turned = true;
  moved_ = true;
  outcome_.offer(send_listener_->handle(), true);
  return {};
}

// What the peer has given up may be connected already: it is no connection any more.
Status Making::make_receiver(const std::optional<Handle>& from) {
  if (from && !ends_.turned) {
    listener_.reset();
    ends_.receive.reset();
    ends_.turned = true;
    moved_ = true;
    HAWSER_ASSIGN(receive_connector_, net_->connect_to_receive(place_, *from));
  }
  if (listener_ != nullptr && ends_.receive == nullptr) {
    HAWSER_ASSIGN(std::unique_ptr<ReceiveComm> receive, listener_->try_accept());
    ends_.receive = std::move(receive);
    if (ends_.receive != nullptr) listener_.reset();
  }
  if (receive_connector_ != nullptr && ends_.receive == nullptr) {
    HAWSER_ASSIGN(std::unique_ptr<ReceiveComm> receive, receive_connector_->try_connect());
    ends_.receive = std::move(receive);
  }
  return {};
}

std::string Making::progress_text() const {
  const auto over = [](const auto& maker) {
    const std::string text = maker == nullptr ? "" : maker->text();
    return text.empty() ? "" : " (" + text + ")";
  };
  const std::string incoming = over(listener_) + over(receive_connector_);
  const std::string outgoing = over(connector_) + over(send_listener_);
  if (ends_.send == nullptr && ends_.receive == nullptr)
    return connector_ == nullptr && send_listener_ == nullptr
               ? "the peer did not offer its end of the channel"
               : fmt::format("neither the way to the peer{} nor its way to us{} could be connected",
                             outgoing, incoming);
  return ends_.send == nullptr
             ? fmt::format("the way to the peer{} could not be connected", outgoing)
             : fmt::format("the peer did not connect its way to us{}", incoming);
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
