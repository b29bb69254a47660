// Links themselves, and notifications.
#include <cstring>

#include "c/handles.h"
#include "c/json.h"
#include "c/options.h"
#include "c/text.h"

using namespace hawser::capi;
using hawser::Code;
using hawser::Error;
using hawser::Status;

static_assert(HAWSER_MAX_NOTIFICATION_BYTES == hawser::kMaxNotificationBytes);

namespace {

Status check_link(const hawser_link_t* link) {
  return require(link != nullptr, "no link: a null handle");
}

}  // namespace

int hawser_link_up(hawser_link_t* link) {
  if (link == nullptr) return 0;
  return guarded_value(0, [&] { return link->link.up() ? 1 : 0; });
}

hawser_status_t hawser_link_status(hawser_link_t* link) {
  return guarded([&]() -> Status {
    if (Status given = check_link(link); !given.ok()) return given;
    return link->link.status();
  });
}

const char* hawser_link_peer(hawser_link_t* link) {
  return link == nullptr ? "" : link->peer.c_str();
}

hawser_status_t hawser_link_report_json(hawser_link_t* link, char** json) {
  return make_text(json, [&]() -> hawser::Result<std::string> {
    if (const Status given = check_link(link); !given.ok()) return given.error();
    return report_json(link->link.report());
  });
}

hawser_status_t hawser_link_close(hawser_link_t* link, int timeout_ms) {
  return guarded([&]() -> Status {
    if (Status given = check_link(link); !given.ok()) return given;
    link->link.close(timeout_ms);
    return {};
  });
}

void hawser_link_free(hawser_link_t* link) {
  delete link;
}

hawser_status_t hawser_link_notify(hawser_link_t* link, const void* text, size_t bytes,
                                   hawser_transfer_t** transfer) {
  return hawser_link_notify_with(link, text, bytes, nullptr, transfer);
}

hawser_status_t hawser_link_notify_with(hawser_link_t* link, const void* text, size_t bytes,
                                        const hawser_transfer_options_t* options,
                                        hawser_transfer_t** transfer) {
  return make_handle(transfer, [&](hawser_transfer_t& handle) -> Status {
    if (Status there = check_link(link); !there.ok()) return there;
    if (text == nullptr && bytes > 0)
      return Error(Code::invalid_argument, "a notification at null");
    if (bytes > HAWSER_MAX_NOTIFICATION_BYTES)
      return Error(Code::invalid_argument, "a notification that is too long");
    const auto given = read_options(options);
    if (!given.ok()) return given.error();
    std::string copy;
    if (bytes > 0) copy.assign(static_cast<const char*>(text), bytes);
    handle.transfer = link->link.notify(std::move(copy), *given);
    return {};
  });
}

hawser_status_t hawser_link_take_notification(hawser_link_t* link, void* text, size_t capacity,
                                              size_t* bytes, int* taken) {
  if (bytes != nullptr) *bytes = 0;
  if (taken != nullptr) *taken = 0;
  return guarded([&]() -> Status {
    if (Status given = check_link(link); !given.ok()) return given;
    if (text == nullptr || bytes == nullptr || taken == nullptr)
      return Error(Code::invalid_argument, "no place for a notification: null");
    if (capacity <= HAWSER_MAX_NOTIFICATION_BYTES)
      return Error(Code::invalid_argument,
                   "no room for a notification and a 0: HAWSER_MAX_NOTIFICATION_BYTES + 1");
    const auto notification = link->link.take_notification();
    if (!notification) return {};
    if (notification->text.size() >= capacity)
      return Error(Code::internal, "a notification longer than any may be");
    std::memcpy(text, notification->text.c_str(), notification->text.size() + 1);
    *bytes = notification->text.size();
    *taken = 1;
    return {};
  });
}
