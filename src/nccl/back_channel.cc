#include "nccl/back_channel.h"

#include <algorithm>

namespace hawser::plugin {

Result<std::unique_ptr<BackChannel>> BackChannel::open(Net& net, int device, const Handle& handle,
                                                       const GateOpening& opening) {
  HAWSER_ASSIGN(auto connector, net.connect(device, handle));
  std::unique_ptr<BackChannel> made(new BackChannel(std::move(connector)));
  RecordBytes record;
  encode(opening, record);
  made->waiting_.push(record);
  return made;
}

void BackChannel::announce(const Announcement& announcement) {
  RecordBytes record;
  encode(announcement, record);
  waiting_.push(record);
}

Status BackChannel::progress() {
  if (comm_ == nullptr) HAWSER_TRY(connect());
  if (comm_ == nullptr) return {};
  HAWSER_TRY(finish());
  return say_next();
}

Status BackChannel::connect() {
  HAWSER_ASSIGN(comm_, connector_->try_connect());
  if (comm_ == nullptr) return {};
  connector_.reset();
  return places_.allocate(*comm_, kMaxInFlight * kRecordBytes);
}

Status BackChannel::say_next() {
  while (!waiting_.empty() && !in_flight_.full()) {
    std::byte* const place = places_.at(next_place_ * kRecordBytes);
    std::copy(waiting_.front().begin(), waiting_.front().end(), place);
    HAWSER_ASSIGN(Request* const request,
                  comm_->try_send(place, kRecordBytes, 0, places_.registration()));
    if (request == nullptr) return {};
    in_flight_.push(request);
    waiting_.pop();
    next_place_ = (next_place_ + 1) % kMaxInFlight;
  }
  return finish();
}

Status BackChannel::finish() {
  while (!in_flight_.empty()) {
    HAWSER_ASSIGN(const TestResult result, comm_->test(in_flight_.front()));
    if (!result.done) return {};
    in_flight_.pop();
  }
  return {};
}

}  // namespace hawser::plugin
