#include <string>

#include "c/handles.h"

using namespace hawser::capi;
using hawser::Code;
using hawser::Error;
using hawser::Status;
using hawser::Transfer;

namespace {

Status check_transfer(const hawser_transfer_t* transfer) {
  return require(transfer != nullptr, "no transfer: a null handle");
}

void call_back(hawser_done_t callback, void* user, const Status& status) {
  if (status.ok())
    callback(user, HAWSER_OK, nullptr);
  else
    callback(user, number_of(status.error().code()), status.error().message().c_str());
}

}  // namespace

int hawser_transfer_done(hawser_transfer_t* transfer) {
  if (transfer == nullptr) return 1;
  return guarded_value(0, [&] { return transfer->transfer.done() ? 1 : 0; });
}

hawser_status_t hawser_transfer_wait(hawser_transfer_t* transfer, int timeout_ms) {
  return guarded([&]() -> Status {
    if (Status given = check_transfer(transfer); !given.ok()) return given;
    if (transfer->transfer.wait(timeout_ms)) return {};
    return Error(Code::timeout, "the transfer has not ended yet");
  });
}

hawser_status_t hawser_transfer_result(hawser_transfer_t* transfer) {
  return guarded([&]() -> Status {
    if (Status given = check_transfer(transfer); !given.ok()) return given;
    return transfer->transfer.result();
  });
}

uint64_t hawser_transfer_bytes(hawser_transfer_t* transfer) {
  if (transfer == nullptr) return 0;
  return guarded_value(uint64_t{0}, [&] { return transfer->transfer.bytes(); });
}

uint64_t hawser_transfer_bytes_done(hawser_transfer_t* transfer) {
  if (transfer == nullptr) return 0;
  return guarded_value(uint64_t{0}, [&] { return transfer->transfer.bytes_done(); });
}

hawser_status_t hawser_transfer_cancel(hawser_transfer_t* transfer) {
  return guarded([&]() -> Status {
    if (Status given = check_transfer(transfer); !given.ok()) return given;
    transfer->transfer.cancel();
    return {};
  });
}

hawser_status_t hawser_transfer_on_done(hawser_transfer_t* transfer, hawser_done_t callback,
                                        void* user) {
  return guarded([&]() -> Status {
    if (Status given = check_transfer(transfer); !given.ok()) return given;
    if (callback == nullptr) return Error(Code::invalid_argument, "no callback: null");
    const Transfer kept = transfer->transfer;  // the callback may free the handle
    kept.on_done([callback, user](const Status& status) { call_back(callback, user, status); });
    return {};
  });
}

void hawser_transfer_free(hawser_transfer_t* transfer) {
  delete transfer;
}
