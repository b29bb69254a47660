#include "nccl/send_comm.h"

#include <algorithm>

namespace hawser::plugin {

Result<PluginRequest*> PluginSendComm::send_slowly(const void* data, std::size_t bytes, int tag,
                                                   Registration* registration) {
  HAWSER_TRY(finish_own());
  if (!room_for(1)) return nullptr;
  if (!begun_) HAWSER_TRY(start(tag));
  if (!begun_) return nullptr;
  HAWSER_ASSIGN(const SendGate::Verdict verdict, gate_->verdict(tag));
  switch (verdict) {
    case SendGate::Verdict::later:
      return nullptr;
    case SendGate::Verdict::stream:
      return post_to_stream(data, bytes, tag, registration);
    case SendGate::Verdict::framed:
      return post_framed(data, bytes, tag, registration);
  }
  return nullptr;
}

bool PluginSendComm::room_for(std::size_t requests) const {
  return requests_.lent() + own_.size() + requests <= kMaxRequests &&
         own_.size() + requests <= kMaxOwn;
}

// Opens the gate's ear, and tells the receiver of it.
Status PluginSendComm::start(int stream_tag) {
  if (gate_ == nullptr) {
    HAWSER_TRY(own_memory_.allocate(*comm_, kMaxOwn * kOwnBytes));
    HAWSER_ASSIGN(gate_, SendGate::open(*net_, device_, stream_tag));
  }
  PreambleBytes preamble;
  encode({gate_->stream_tag(), gate_->back_handle()}, preamble);
  HAWSER_ASSIGN(begun_, send_own(preamble));
  return {};
}

Result<PluginRequest*> PluginSendComm::post_to_stream(const void* data, std::size_t bytes, int tag,
                                                      Registration* registration) {
  HAWSER_ASSIGN(PluginRequest* const request, post(data, bytes, tag, registration));
  if (request != nullptr) gate_->streamed();
  return request;
}

// A header that is out must be followed by its own message: until then no other may pass.
Result<PluginRequest*> PluginSendComm::post_framed(const void* data, std::size_t bytes, int tag,
                                                   Registration* registration) {
  if (!room_for(3)) return nullptr;  // a marker, a header and the message
  const FrameHeader header{tag, bytes};
  if (header_ && *header_ != header) return nullptr;
  if (!header_) {
    HAWSER_ASSIGN(const bool announced, send_header(header));
    if (!announced) return nullptr;
    header_ = header;
  }
  HAWSER_ASSIGN(PluginRequest* const request, post(data, bytes, tag, registration));
  if (request == nullptr) return nullptr;
  header_.reset();
  gate_->framed(tag);
  return request;
}

Result<PluginRequest*> PluginSendComm::post(const void* data, std::size_t bytes, int tag,
                                            Registration* registration) {
  HAWSER_ASSIGN(Request* const posted, comm_->try_send(data, bytes, tag, registration));
  if (posted == nullptr) return nullptr;
  PluginRequest* const request = requests_.take();
  *request = {this, posted, bytes};
  return request;
}

Result<bool> PluginSendComm::send_header(const FrameHeader& header) {
  if (!marked_) {
    HAWSER_ASSIGN(marked_, send_own(*gate_->marker()));
    if (!marked_) return false;
  }
  FrameHeaderBytes bytes;
  encode(header, bytes);
  return send_own(bytes);
}

// False: too early. The places are used in turn, and the messages end in turn.
Result<bool> PluginSendComm::send_own(std::span<const std::byte> message) {
  std::byte* const place = own_memory_.at(next_own_ * kOwnBytes);
  std::copy(message.begin(), message.end(), place);
  HAWSER_ASSIGN(Request* const request,
                comm_->try_send(place, message.size(), 0, own_memory_.registration()));
  if (request == nullptr) return false;
  own_.push(request);
  next_own_ = (next_own_ + 1) % kMaxOwn;
  return true;
}

Status PluginSendComm::finish_own() {
  while (!own_.empty()) {
    HAWSER_ASSIGN(const TestResult result, comm_->test(own_.front()));
    if (!result.done) return {};
    own_.pop();
  }
  return {};
}

Result<bool> PluginSendComm::test(PluginRequest* request, int* sizes) {
  HAWSER_ASSIGN(const TestResult result, comm_->test(request->request));
  if (!result.done) return false;
  if (!own_.empty()) HAWSER_TRY(finish_own());
  if (sizes != nullptr) *sizes = static_cast<int>(request->bytes);
  requests_.give_back(request);
  return true;
}

}  // namespace hawser::plugin
