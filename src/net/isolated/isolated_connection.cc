#include "net/isolated/isolated_connection.h"

#include <fmt/core.h>

#include "memory/range.h"

namespace hawser::isolate {
namespace {

HostCall close_request(HostCallKind kind, std::uint32_t number, std::uint32_t comm) {
  HostCall request;
  request.kind = kind;
  request.object = number;
  request.comm = comm;
  return request;
}

}  // namespace

Status CommMaker::begin(HostCall request) {
  const std::size_t most = device_.capabilities.max_request_bytes;
  request.device = device_.index;
  request.slots = static_cast<std::uint32_t>(device_.capabilities.max_requests);
  request.slot_bytes = (most + kPageBytes - 1) / kPageBytes * kPageBytes;
  HAWSER_ASSIGN(parts_.memory, CommMemory::create(request.slots, request.slot_bytes));
  HAWSER_ASSIGN(parts_.bell, CommBell::create(sends_));
  parts_.process = process_;
  parts_.device = &device_;
  parts_.number = request.comm = process_->next_number();
  const int descriptors[] = {parts_.memory->memory().fd(), parts_.bell->fd()};
  HAWSER_ASSIGN(call_, process_->begin(request, descriptors));
  parts_.memory->memory().close_fd();
  return {};
}

Result<std::optional<CommParts>> CommMaker::try_make(const HostCall& request) {
  if (ended_)
    return Error(Code::internal, fmt::format("{}: a connection on device {} asked for again after "
                                             "it had ended",
                                             device_.plugin, device_.index));
  if (!call_) {
    const Status begun = begin(request);
    ended_ = !begun.ok();
    if (ended_) return begun.error();
  }
  auto answer = process_->answer(*call_);
  if (!answer) return std::optional<CommParts>();
  ended_ = true;
  if (!answer->ok()) return answer->error();
  return std::optional<CommParts>(std::move(parts_));
}

std::uint32_t CommMaker::abandon() {
  if (!call_ || ended_) return 0;
  process_->forget(*call_);
  return parts_.number;
}

Result<std::unique_ptr<Listener>> IsolatedListener::listen(std::shared_ptr<PluginProcess> process,
                                                           const IsolatedDevice& device, int gpu) {
  std::unique_ptr<IsolatedListener> made(new IsolatedListener(process, device, gpu));
  HostCall request;
  request.kind = HostCallKind::listen;
  request.device = device.index;
  request.gpu = gpu;
  request.object = made->number_;
  HAWSER_ASSIGN(const Answer answer, process->ask(request));
  made->handle_ = answer.reply.handle;
  return std::unique_ptr<Listener>(std::move(made));
}

IsolatedListener::~IsolatedListener() {
  const std::uint32_t comm = maker_.abandon();
  maker_.process().tell(close_request(HostCallKind::close_listener, number_, comm));
}

Result<std::unique_ptr<ReceiveComm>> IsolatedListener::try_accept() {
  HostCall request;
  request.kind = HostCallKind::accept;
  request.gpu = gpu_;
  request.object = number_;
  HAWSER_ASSIGN(std::optional<CommParts> parts, maker_.try_make(request));
  if (!parts) return std::unique_ptr<ReceiveComm>();
  return std::unique_ptr<ReceiveComm>(std::make_unique<IsolatedReceiveComm>(*std::move(parts)));
}

IsolatedConnector::~IsolatedConnector() {
  const std::uint32_t comm = maker_.abandon();
  maker_.process().tell(close_request(HostCallKind::close_connector, number_, comm));
}

Result<std::unique_ptr<SendComm>> IsolatedConnector::try_connect() {
  HostCall request;
  request.kind = HostCallKind::connect;
  request.gpu = gpu_;
  request.object = number_;
  request.handle = handle_;
  HAWSER_ASSIGN(std::optional<CommParts> parts, maker_.try_make(request));
  if (!parts) return std::unique_ptr<SendComm>();
  return std::unique_ptr<SendComm>(std::make_unique<IsolatedSendComm>(*std::move(parts)));
}

}  // namespace hawser::isolate
