#include "nccl/receive_comm.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/log.h"
#include "net/tcp/frame.h"

namespace hawser::plugin {
namespace {

Status check_fits(std::size_t bytes, const ReceiveBuffer& buffer) {
  if (bytes <= buffer.bytes) return {};
  return Error(Code::protocol,
               fmt::format("the sender's message (tag {}) has {} bytes, the receive posted for it "
                           "only {}: post at least as much as is sent",
                           buffer.tag, bytes, buffer.bytes));
}

Status copy_into(const SlotOfGroup& to, std::span<const std::byte> message) {
  HAWSER_TRY(check_fits(message.size(), to.slot->buffer));
  std::copy(message.begin(), message.end(), static_cast<std::byte*>(to.slot->buffer.data));
  to.group->finish(*to.slot, message.size());
  return {};
}

}  // namespace

Result<PluginRequest*> PluginReceiveComm::receive_from_stream(const ReceiveBuffer& buffer) {
  HAWSER_ASSIGN(Request* const posted,
                comm_->try_receive(buffer.data, buffer.bytes, buffer.tag, buffer.registration));
  if (posted == nullptr) return nullptr;
  PluginRequest* const request = requests_.take();
  *request = {this, posted, 0, nullptr};
  ++stream_receives_;
  ++in_stream_;
  largest_bytes_ = std::max(largest_bytes_, buffer.bytes);
  return request;
}

Result<PluginRequest*> PluginReceiveComm::receive_group(std::span<const ReceiveBuffer> buffers) {
  if (groups_ == nullptr) groups_ = std::make_unique<Slots<ReceiveGroup, kMaxRequests>>();
  ReceiveGroup* const group = groups_->take();
  PluginRequest* const request = requests_.take();
  *request = {this, nullptr, 0, group};
  *group = ReceiveGroup();
  group->request = request;
  group->count = group->open = group->unfinished = static_cast<int>(buffers.size());
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    group->slots[i].buffer = buffers[i];
    largest_bytes_ = std::max(largest_bytes_, buffers[i].bytes);
  }
  unsettled_.push(group);
  HAWSER_TRY(progress());
  return request;
}

Result<bool> PluginReceiveComm::test(PluginRequest* request, int* sizes) {
  if (request->group != nullptr) {
    HAWSER_TRY(progress());
    if (request->group != nullptr) return test_group(*request, sizes);
  }
  HAWSER_ASSIGN(const TestResult result, test_whole(*comm_, request->request));
  if (!result.done) return false;
  if (sizes != nullptr) *sizes = static_cast<int>(result.bytes.value_or(0));
  --in_stream_;
  requests_.give_back(request);
  return true;
}

Result<bool> PluginReceiveComm::test_group(PluginRequest& request, int* sizes) {
  ReceiveGroup* const group = request.group;
  if (group->unfinished > 0) return false;
  for (int i = 0; sizes != nullptr && i < group->count; ++i)
    sizes[i] = static_cast<int>(group->slots[static_cast<std::size_t>(i)].received);
  groups_->give_back(group);
  requests_.give_back(&request);
  return true;
}

Status PluginReceiveComm::progress() {
  if (state_ == State::unknown) HAWSER_TRY(read_preamble());
  if (state_ == State::unknown) return {};
  HAWSER_TRY(settle());
  if (back_ != nullptr) HAWSER_TRY(back_->progress());
  if (state_ == State::overrun) HAWSER_TRY(read_overrun());
  if (state_ == State::framed) HAWSER_TRY(read_frames());
  return {};
}

Status PluginReceiveComm::read_preamble() {
  HAWSER_ASSIGN(const auto message, read_own(kPreambleBytes));
  if (!message) return {};
  HAWSER_ASSIGN(preamble_, decode_preamble(*message));
  state_ = State::stream;
  return {};
}

// What came before it was known how to receive it.
Status PluginReceiveComm::settle() {
  while (!unsettled_.empty()) {
    HAWSER_ASSIGN(const bool settled, settle_oldest());
    if (!settled) return {};
    unsettled_.pop();
  }
  return {};
}

Result<bool> PluginReceiveComm::settle_oldest() {
  ReceiveGroup* const group = unsettled_.front();
  const ReceiveBuffer& first = group->slots[0].buffer;
  if (state_ == State::stream && of_the_stream({&first, static_cast<std::size_t>(group->count)}))
    return settle_in_stream(*group);
  if (state_ == State::stream) HAWSER_TRY(open_gate());
  if (back_->full()) return false;
  Announcement announcement;
  announcement.count = group->count;
  for (std::size_t i = 0; i < announcement.tags.size(); ++i)
    announcement.tags[i] = group->slots[i].buffer.tag;
  back_->announce(announcement);
  open_.add(group);
  HAWSER_TRY(use_kept());
  return true;
}

Result<bool> PluginReceiveComm::settle_in_stream(ReceiveGroup& group) {
  const ReceiveBuffer& buffer = group.slots[0].buffer;
  HAWSER_ASSIGN(Request* const posted,
                comm_->try_receive(buffer.data, buffer.bytes, buffer.tag, buffer.registration));
  if (posted == nullptr) return false;
  group.request->request = posted;
  group.request->group = nullptr;
  groups_->give_back(&group);
  ++stream_receives_;
  ++in_stream_;
  return true;
}

Status PluginReceiveComm::open_gate() {
  HAWSER_ASSIGN(marker_, tcp::make_nonce());
  HAWSER_ASSIGN(
      back_, BackChannel::open(*net_, device_, preamble_.back_handle, {marker_, stream_receives_}));
  state_ = State::overrun;
  return {};
}

Status PluginReceiveComm::read_overrun() {
  while (state_ == State::overrun && !open_.empty()) {
    HAWSER_ASSIGN(const auto message, read_own(std::max(largest_bytes_, kMarkerBytes)));
    if (!message) return {};
    HAWSER_TRY(take_overrun(*message));
  }
  return {};
}

Status PluginReceiveComm::take_overrun(std::span<const std::byte> message) {
  if (std::equal(message.begin(), message.end(), marker_.begin(), marker_.end())) {
    state_ = State::framed;
    return {};
  }
  const SlotOfGroup to = open_.take(preamble_.stream_tag);
  return to.slot != nullptr ? copy_into(to, message) : keep(message);
}

Status PluginReceiveComm::keep(std::span<const std::byte> message) {
  kept_bytes_ += message.size();
  if (kept_bytes_ > kMaxKeptBytes)
    return Error(Code::protocol,
                 fmt::format("more than {} bytes of tag {} came that no receive waits for",
                             kMaxKeptBytes, preamble_.stream_tag));
  kept_.emplace_back(message.begin(), message.end());
  return {};
}

Status PluginReceiveComm::use_kept() {
  while (!kept_.empty()) {
    const SlotOfGroup to = open_.take(preamble_.stream_tag);
    if (to.slot == nullptr) return {};
    HAWSER_TRY(copy_into(to, kept_.front()));
    kept_bytes_ -= kept_.front().size();
    kept_.pop_front();
  }
  return {};
}

// Each message's header tells where it belongs. None is waited for unless a buffer is open, so that
// nothing is under way at the end.
Status PluginReceiveComm::read_frames() {
  while (true) {
    HAWSER_TRY(finish_messages());
    if (!header_) {
      if (open_.empty()) return {};
      HAWSER_ASSIGN(const bool came, read_header());
      if (!came) return {};
    }
    HAWSER_ASSIGN(const bool posted, post_message());
    if (!posted) return {};
  }
}

Status PluginReceiveComm::finish_messages() {
  while (!messages_.empty()) {
    const InFlight& oldest = messages_.front();
    HAWSER_ASSIGN(const TestResult result, test_whole(*comm_, oldest.request));
    if (!result.done) return {};
    oldest.to.group->finish(*oldest.to.slot, result.bytes.value_or(0));
    messages_.pop();
  }
  return {};
}

Result<bool> PluginReceiveComm::read_header() {
  HAWSER_ASSIGN(const auto message, read_own(kFrameHeaderBytes));
  if (!message) return false;
  HAWSER_ASSIGN(header_, decode_frame_header(*message));
  return true;
}

Result<bool> PluginReceiveComm::post_message() {
  if (!room()) return false;
  if (!matched_.slot) matched_ = open_.take(header_->tag);
  if (!matched_.slot)
    return Error(Code::protocol,
                 fmt::format("a message of tag {} came that no receive waits for", header_->tag));
  const ReceiveBuffer& buffer = matched_.slot->buffer;
  HAWSER_TRY(check_fits(header_->bytes, buffer));
  HAWSER_ASSIGN(Request* const posted,
                comm_->try_receive(buffer.data, header_->bytes, buffer.tag, buffer.registration));
  if (posted == nullptr) return false;
  messages_.push({posted, matched_});
  matched_ = {};
  header_.reset();
  return true;
}

// The next message that is not NCCL's to place; empty: not here yet. Valid until the next call.
Result<std::optional<std::span<const std::byte>>> PluginReceiveComm::read_own(std::size_t bytes) {
  using Message = std::optional<std::span<const std::byte>>;
  if (reading_own_ == nullptr) {
    if (!room()) return Message();
    if (own_.bytes() < bytes) HAWSER_TRY(own_.allocate(*comm_, bytes));
    HAWSER_ASSIGN(reading_own_, comm_->try_receive(own_.at(0), bytes, 0, own_.registration()));
    if (reading_own_ == nullptr) return Message();
  }
  HAWSER_ASSIGN(const TestResult result, test_whole(*comm_, reading_own_));
  if (!result.done) return Message();
  reading_own_ = nullptr;
  return Message(own_.first(result.bytes.value_or(bytes)));
}

// Whether the Net's window takes one more.
bool PluginReceiveComm::room() const {
  return in_stream_ + messages_.size() + (reading_own_ == nullptr ? 0 : 1) < kMaxRequests;
}

}  // namespace hawser::plugin
