// Exports: streams and events.
#include "state.h"

using namespace cudasim;

namespace {

// The stream of a handle, checked against the current context.
struct Found {
  CUresult problem;
  std::shared_ptr<Queue> stream;
};

Found find_stream(CUstream handle) {
  if (const CUresult problem = require_context()) return {problem, nullptr};
  auto stream = State::get().stream(handle, current_context());
  if (stream == nullptr) return {kInvalidHandle, nullptr};
  if (stream->context() != current_context()) return {kInvalidContext, nullptr};
  return {kSuccess, std::move(stream)};
}

}  // namespace

CUDASIM_EXPORT CUresult cuStreamCreate(CUstream* stream, unsigned flags) {
  if (const CUresult problem = require_context()) return problem;
  if (stream == nullptr || flags > 1) return kInvalidValue;
  *stream = State::get().make_stream(current_context());
  return kSuccess;
}

CUDASIM_EXPORT CUresult cuStreamDestroy_v2(CUstream stream) {
  if (const CUresult problem = require_context()) return problem;
  return State::get().destroy_stream(stream);
}

CUDASIM_EXPORT CUresult cuStreamSynchronize(CUstream handle) {
  const Found found = find_stream(handle);
  if (found.problem != kSuccess) return found.problem;
  found.stream->wait();
  return current_context()->fault;
}

CUDASIM_EXPORT CUresult cuStreamQuery(CUstream handle) {
  const Found found = find_stream(handle);
  if (found.problem != kSuccess) return found.problem;
  return found.stream->idle() ? kSuccess : kNotReady;
}

// Nothing captures here.
CUDASIM_EXPORT CUresult cuStreamIsCapturing(CUstream handle, int* status) {
  const Found found = find_stream(handle);
  if (found.problem != kSuccess) return found.problem;
  if (status == nullptr) return kInvalidValue;
  *status = 0;
  return kSuccess;
}

CUDASIM_EXPORT CUresult cuLaunchHostFunc(CUstream handle, void (*function)(void*), void* data) {
  const Found found = find_stream(handle);
  if (found.problem != kSuccess) return found.problem;
  if (function == nullptr) return kInvalidValue;
  found.stream->submit([function, data] { function(data); });
  return kSuccess;
}

CUDASIM_EXPORT CUresult cuEventCreate(CUevent* event, unsigned flags) {
  if (const CUresult problem = require_context()) return problem;
  if (event == nullptr || flags > 7) return kInvalidValue;
  *event = State::get().make_event(current_context());
  return kSuccess;
}

CUDASIM_EXPORT CUresult cuEventDestroy_v2(CUevent event) {
  if (!State::get().initialised()) return kNotInitialized;
  return State::get().destroy_event(event);
}

CUDASIM_EXPORT CUresult cuEventRecord(CUevent event_handle, CUstream stream_handle) {
  const Found found = find_stream(stream_handle);
  if (found.problem != kSuccess) return found.problem;
  const auto event = State::get().event(event_handle);
  if (event == nullptr || event->context() != found.stream->context()) return kInvalidHandle;
  found.stream->submit([event, ticket = event->record()] { event->finish(ticket); });
  return kSuccess;
}

CUDASIM_EXPORT CUresult cuEventQuery(CUevent handle) {
  if (!State::get().initialised()) return kNotInitialized;
  const auto event = State::get().event(handle);
  if (event == nullptr) return kInvalidHandle;
  if (const CUresult problem = event->context()->fault) return problem;
  return event->ready() ? kSuccess : kNotReady;
}

CUDASIM_EXPORT CUresult cuEventSynchronize(CUevent handle) {
  if (!State::get().initialised()) return kNotInitialized;
  const auto event = State::get().event(handle);
  if (event == nullptr) return kInvalidHandle;
  event->wait();
  return event->context()->fault;
}
