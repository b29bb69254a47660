#include "support/net_flow.h"

#include <fmt/core.h>

#include <algorithm>

namespace hawser::test {
namespace {

bool window_full(std::size_t in_flight, const NetCapabilities& capabilities) {
  return in_flight >= static_cast<std::size_t>(capabilities.max_requests);
}

Error still_in_flight(std::size_t sends, std::size_t receives) {
  return Error(Code::timeout, fmt::format("at the deadline {} sends and {} receives are in flight",
                                          sends, receives));
}

}  // namespace

bool SendFlow::full() const {
  return window_full(in_flight(), capabilities_);
}

Result<bool> SendFlow::post(const void* data, std::size_t bytes, int tag,
                            Registration* registration) {
  HAWSER_ASSIGN(Request* const request, comm_.try_send(data, bytes, tag, registration));
  if (request != nullptr) requests_.push_back(request);
  return request != nullptr;
}

Result<bool> SendFlow::poll() {
  if (requests_.empty()) return false;
  HAWSER_ASSIGN(const TestResult result, comm_.test(requests_.front()));
  if (result.done) requests_.pop_front();
  return result.done;
}

bool ReceiveFlow::full() const {
  return window_full(in_flight(), capabilities_);
}

Result<bool> ReceiveFlow::post(void* data, std::size_t bytes, int tag, Registration* registration) {
  HAWSER_ASSIGN(Request* const request, comm_.try_receive(data, bytes, tag, registration));
  if (request != nullptr) receives_.push_back({request, static_cast<std::byte*>(data), bytes});
  return request != nullptr;
}

Result<bool> ReceiveFlow::poll() {
  if (receives_.empty()) return false;
  const Receive oldest = receives_.front();
  HAWSER_ASSIGN(const TestResult result, comm_.test(oldest.request));
  if (!result.done) return false;
  std::size_t bytes = result.bytes.value_or(kUnknownBytes);
  if (capabilities_.needs_unpack) {
    HAWSER_ASSIGN(bytes, unpack(oldest));
    HAWSER_TRY(comm_.consume(oldest.request));
  }
  receives_.pop_front();
  received_.push_back(bytes);
  return true;
}

Result<std::size_t> ReceiveFlow::unpack(const Receive& receive) {
  HAWSER_ASSIGN(const Fragments fragments, comm_.fragments(receive.request));
  if (unpacker_ == nullptr) {
    HAWSER_ASSIGN(unpacker_, Unpacker::create({}, gpu_, capabilities_.max_request_bytes, 1));
  }
  HAWSER_TRY(unpacker_->add(fragments, {receive.data, receive.capacity, Reach::pageable, false}));
  HAWSER_ASSIGN(const std::uint64_t mark, unpacker_->submit());
  for (Backoff backoff;; backoff.idle()) {
    HAWSER_ASSIGN(const bool finished, unpacker_->finished(mark));
    if (finished) break;
  }
  std::size_t bytes = 0;
  for (const Fragment& fragment : fragments.list) bytes += fragment.bytes;
  return bytes;
}

Status drain(SendFlow& send, ReceiveFlow& receive, Deadline deadline) {
  Backoff backoff;
  while (send.in_flight() + receive.in_flight() > 0) {
    if (deadline.expired()) return still_in_flight(send.in_flight(), receive.in_flight());
    HAWSER_ASSIGN(const bool sent, send.poll());
    HAWSER_ASSIGN(const bool received, receive.poll());
    sent || received ? backoff.progressed() : backoff.idle();
  }
  return {};
}

Status drain(SendFlow& send, Deadline deadline) {
  Backoff backoff;
  while (send.in_flight() > 0) {
    if (deadline.expired()) return still_in_flight(send.in_flight(), 0);
    HAWSER_ASSIGN(const bool sent, send.poll());
    sent ? backoff.progressed() : backoff.idle();
  }
  return {};
}

Status drain(ReceiveFlow& receive, Deadline deadline) {
  Backoff backoff;
  while (receive.in_flight() > 0) {
    if (deadline.expired()) return still_in_flight(0, receive.in_flight());
    HAWSER_ASSIGN(const bool received, receive.poll());
    received ? backoff.progressed() : backoff.idle();
  }
  return {};
}

}  // namespace hawser::test
