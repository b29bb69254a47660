// The public handles: Link, Region, RemoteRegion and Transfer.
#include <fmt/core.h>

#include <hawser/link.h>

#include "base/fork.h"
#include "engine/engine_core.h"
#include "engine/link_core.h"
#include "engine/operations/transfer_state.h"
#include "engine/region_table.h"
#include "gpu/event.h"

namespace hawser {
namespace {

Error no_region() {
  return Error(Code::invalid_argument, "a Region of nothing: register memory first");
}

Error no_link() {
  return Error(Code::invalid_argument, "a Link of nothing: connect or accept first");
}

Error inherited_link() {
  return inherited_error("this link");
}

// Whether there is one that can be asked anything.
bool usable(const std::shared_ptr<engine::LinkCore>& link) {
  return link != nullptr && !link->inherited();
}

std::shared_ptr<engine::TransferState> refused(Error why) {
  return std::make_shared<engine::TransferState>(std::move(why));
}

// What every transfer needs of its local side.
Result<engine::Request> make_request(const engine::LinkCore& link,
                                     const std::shared_ptr<engine::LocalRegion>& local,
                                     Result<engine::BlockList> blocks,
                                     const TransferOptions& options) {
  if (local->owner != &link.engine())
    return Error(Code::invalid_argument,
                 "the local region belongs to another engine than the link");
  if (!blocks.ok()) return blocks.error();
  engine::Request request;
  request.region = engine::RegionUse::begin(local, engine::LocalRegion::User::owner);
  if (!request.region)
    return Error(Code::invalid_argument, "the local region has been deregistered");
  request.blocks = *std::move(blocks);
  request.timeout_ms = options.timeout_ms;
  request.only_if_room = options.only_if_room;
  if (options.cuda_stream == nullptr) return request;
  if (local->gpu() == nullptr)
    return Error(
        Code::invalid_argument,
        "TransferOptions::cuda_stream is for regions of GPU memory; this one is host memory");
  HAWSER_ASSIGN(request.after, GpuEvent::record(local->gpu(), options.cuda_stream));
  return request;
}

Status check_remote(const RemoteRegion& remote, Rights wanted) {
  if ((static_cast<unsigned>(remote.rights()) & static_cast<unsigned>(wanted)) != 0) return {};
  return Error(Code::invalid_argument,
               fmt::format("the remote region's token gives no right to {} it",
                           wanted == Rights::read ? "read" : "write"));
}

Status check_notification(const std::string& text) {
  if (text.size() <= kMaxNotificationBytes) return {};
  return Error(Code::invalid_argument, fmt::format("a notification of {} bytes, of {} at most",
                                                   text.size(), kMaxNotificationBytes));
}

// A transfer, begun; or one that was refused, with the reason.
template <class Begin>
std::shared_ptr<engine::TransferState> submit(const std::shared_ptr<engine::LinkCore>& link,
                                              const std::shared_ptr<engine::LocalRegion>& local,
                                              Status allowed, Result<engine::BlockList> blocks,
                                              const TransferOptions& options, Begin&& begin) {
  if (link == nullptr) return refused(no_link());
  if (link->inherited()) return refused(inherited_link());
  if (local == nullptr) return refused(no_region());
  if (!allowed.ok()) return refused(allowed.error());
  auto request = make_request(*link, local, std::move(blocks), options);
  return request.ok() ? begin(*std::move(request)) : refused(request.error());
}

}  // namespace

// ---- Region ----

void* Region::data() const {
  return impl_ ? impl_->range().data : nullptr;
}

std::uint64_t Region::bytes() const {
  return impl_ ? impl_->range().bytes : 0;
}

int Region::gpu() const {
  return impl_ ? impl_->range().gpu : -1;
}

std::vector<std::byte> Region::token() const {
  if (impl_ == nullptr) return {};
  impl_->note_token();
  return engine::encode_token(*impl_);
}

Status Region::deregister(InFlight in_flight, int timeout_ms) {
  if (impl_ == nullptr) return no_region();
  if (impl_->inherited()) return inherited_error("this region");
  return impl_->deregister(in_flight, timeout_ms);
}

Result<RemoteRegion> RemoteRegion::from_token(std::span<const std::byte> token) {
  HAWSER_ASSIGN(const engine::TokenFields fields, engine::decode_token(token));
  RemoteRegion region;
  region.key_ = fields.key;
  region.bytes_ = fields.bytes;
  region.gpu_ = fields.gpu;
  region.rights_ = fields.rights;
  return region;
}

// ---- Link ----

Transfer Link::write(const RegionSpan& local, const RemotePlace& remote,
                     const TransferOptions& options) const {
  const Block block{local.offset, remote.offset, local.bytes};
  return write(local.region, remote.region, {&block, 1}, options);
}

Transfer Link::write(const Region& local, const RemoteRegion& remote, std::span<const Block> blocks,
                     const TransferOptions& options) const {
  Status allowed = check_remote(remote, Rights::write);
  if (allowed.ok()) allowed = check_notification(options.notification);
  return Transfer(submit(impl_, local.impl_, std::move(allowed),
                         engine::BlockList::create(blocks, local.bytes(), remote.bytes()), options,
                         [&](engine::Request request) {
                           return impl_->operations().write(impl_, std::move(request), remote.key(),
                                                            options.notification);
                         }));
}

Transfer Link::read(const RegionSpan& local, const RemotePlace& remote,
                    const TransferOptions& options) const {
  const Block block{local.offset, remote.offset, local.bytes};
  return read(local.region, remote.region, {&block, 1}, options);
}

Transfer Link::read(const Region& local, const RemoteRegion& remote, std::span<const Block> blocks,
                    const TransferOptions& options) const {
  return Transfer(submit(impl_, local.impl_, check_remote(remote, Rights::read),
                         engine::BlockList::create(blocks, local.bytes(), remote.bytes()), options,
                         [&](engine::Request request) {
                           return impl_->operations().read(impl_, std::move(request), remote.key());
                         }));
}

Transfer Link::send(std::uint64_t tag, const RegionSpan& local,
                    const TransferOptions& options) const {
  const Extent extent{local.offset, local.bytes};
  return send(tag, local.region, {&extent, 1}, options);
}

Transfer Link::send(std::uint64_t tag, const Region& local, std::span<const Extent> extents,
                    const TransferOptions& options) const {
  return Transfer(submit(impl_, local.impl_, Status(),
                         engine::BlockList::create(extents, local.bytes()), options,
                         [&](engine::Request request) {
                           return impl_->operations().send(impl_, tag, std::move(request));
                         }));
}

Transfer Link::recv(std::uint64_t tag, const RegionSpan& local,
                    const TransferOptions& options) const {
  const Extent extent{local.offset, local.bytes};
  return recv(tag, local.region, {&extent, 1}, options);
}

Transfer Link::recv(std::uint64_t tag, const Region& local, std::span<const Extent> extents,
                    const TransferOptions& options) const {
  return Transfer(submit(impl_, local.impl_, Status(),
                         engine::BlockList::create(extents, local.bytes()), options,
                         [&](engine::Request request) {
                           return impl_->operations().receive(impl_, tag, std::move(request));
                         }));
}

Transfer Link::notify(std::string text, const TransferOptions& options) const {
  if (impl_ == nullptr) return Transfer(refused(no_link()));
  if (impl_->inherited()) return Transfer(refused(inherited_link()));
  if (const Status ok = check_notification(text); !ok.ok()) return Transfer(refused(ok.error()));
  if (options.cuda_stream != nullptr || !options.notification.empty())
    return Transfer(refused(Error(Code::invalid_argument,
                                  "notify() waits for no stream, and is a notification itself")));
  return Transfer(
      impl_->operations().notify(impl_, std::move(text), options.timeout_ms, options.only_if_room));
}

std::optional<Notification> Link::take_notification() const {
  if (!usable(impl_)) return std::nullopt;
  auto text = impl_->operations().take_notification();
  if (!text) return std::nullopt;
  return Notification{*std::move(text)};
}

bool Link::up() const {
  return usable(impl_) && impl_->is_up();
}

Status Link::status() const {
  if (impl_ == nullptr) return no_link();
  return impl_->inherited() ? Status(inherited_link()) : impl_->status();
}

LinkReport Link::report() const {
  if (usable(impl_)) return impl_->report();
  LinkReport report;
  if (impl_ == nullptr) return report;
  report.peer = impl_->peer();
  report.reason = inherited_link().message();
  return report;
}

std::string Link::peer() const {
  return impl_ ? impl_->peer() : std::string();
}

void Link::close(int timeout_ms) const {
  if (!usable(impl_)) return;
  const Deadline deadline = Deadline::after(Milliseconds(std::max(timeout_ms, 0)));
  Backoff backoff;
  while (!deadline.expired() && !impl_->operations().idle() && impl_->is_up()) backoff.idle();
  impl_->close(Error(Code::cancelled, "the link was closed"), "its program closed it");
  constexpr Milliseconds kClosing{10000};
  impl_->wait_ended(Deadline::after(kClosing));
}

// ---- Transfer ----

bool Transfer::done() const {
  return impl_ == nullptr || impl_->done();
}

bool Transfer::wait(int timeout_ms) const {
  return impl_ == nullptr || impl_->wait(timeout_ms);
}

Status Transfer::result() const {
  if (impl_ == nullptr) return Error(Code::invalid_argument, "a Transfer of nothing");
  impl_->wait(-1);
  return impl_->outcome();
}

std::uint64_t Transfer::bytes() const {
  return impl_ ? impl_->bytes() : 0;
}

std::uint64_t Transfer::bytes_done() const {
  return impl_ ? impl_->bytes_done() : 0;
}

void Transfer::cancel() const {
  if (impl_ != nullptr) impl_->cancel();
}

void Transfer::on_done(std::function<void(const Status&)> callback) const {
  if (impl_ != nullptr)
    impl_->on_done(std::move(callback));
  else if (callback)
    callback(result());
}

}  // namespace hawser
