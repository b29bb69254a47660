#include <algorithm>
#include <cstring>

#include <hawser/region.h>

#include "c/handles.h"

using namespace hawser::capi;
using hawser::Code;
using hawser::Error;
using hawser::Status;

static_assert(HAWSER_TOKEN_BYTES == hawser::kRegionTokenBytes);
static_assert(HAWSER_RIGHTS_NONE == static_cast<int>(hawser::Rights::none));
static_assert(HAWSER_RIGHTS_READ == static_cast<int>(hawser::Rights::read));
static_assert(HAWSER_RIGHTS_WRITE == static_cast<int>(hawser::Rights::write));
static_assert(HAWSER_RIGHTS_READ_WRITE == static_cast<int>(hawser::Rights::read_write));
static_assert(sizeof(hawser_remote_region_t) == 64);

namespace {

Status check_region(const hawser_region_t* region) {
  return require(region != nullptr, "no region: a null handle");
}

}  // namespace

hawser_status_t hawser_region_deregister(hawser_region_t* region, hawser_in_flight_t in_flight,
                                         int timeout_ms) {
  return guarded([&]() -> Status {
    if (Status given = check_region(region); !given.ok()) return given;
    const bool known = in_flight == HAWSER_IN_FLIGHT_WAIT || in_flight == HAWSER_IN_FLIGHT_FAIL;
    if (Status right = require(known, "neither HAWSER_IN_FLIGHT_WAIT nor _FAIL"); !right.ok())
      return right;
    const auto what =
        in_flight == HAWSER_IN_FLIGHT_WAIT ? hawser::InFlight::wait : hawser::InFlight::fail;
    return region->region.deregister(what, timeout_ms);
  });
}

void hawser_region_free(hawser_region_t* region) {
  delete region;
}

void* hawser_region_data(hawser_region_t* region) {
  return region == nullptr ? nullptr : region->region.data();
}

uint64_t hawser_region_bytes(hawser_region_t* region) {
  return region == nullptr ? 0 : region->region.bytes();
}

int hawser_region_gpu(hawser_region_t* region) {
  return region == nullptr ? -1 : region->region.gpu();
}

hawser_status_t hawser_region_token(hawser_region_t* region, void* token, size_t capacity) {
  return guarded([&]() -> Status {
    if (Status given = check_region(region); !given.ok()) return given;
    const auto made = region->region.token();
    if (token == nullptr || capacity < made.size())
      return Error(Code::invalid_argument, "no room for a token: HAWSER_TOKEN_BYTES");
    std::copy(made.begin(), made.end(), static_cast<std::byte*>(token));
    return {};
  });
}

hawser_status_t hawser_remote_region_from_token(const void* token, size_t bytes,
                                                hawser_remote_region_t* remote) {
  return guarded([&]() -> Status {
    if (remote == nullptr) return Error(Code::invalid_argument, "no place for the remote region");
    *remote = {};
    if (token == nullptr) return Error(Code::invalid_argument, "no token: null");
    const auto made =
        hawser::RemoteRegion::from_token({static_cast<const std::byte*>(token), bytes});
    if (!made.ok()) return made.error();
    std::memcpy(remote->token, token, sizeof remote->token);
    remote->bytes = made->bytes();
    remote->gpu = made->gpu();
    remote->rights = static_cast<hawser_rights_t>(made->rights());
    return {};
  });
}
