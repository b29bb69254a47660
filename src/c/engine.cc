#include "c/handles.h"
#include "c/json.h"
#include "c/options.h"
#include "c/text.h"

using namespace hawser::capi;
using hawser::Status;

namespace {

constexpr const char* kNoEngine = "no engine: a null handle";

}  // namespace

hawser_status_t hawser_engine_create(const hawser_engine_options_t* options,
                                     hawser_engine_t** engine) {
  return make_handle(engine, [&](hawser_engine_t& handle) -> Status {
    const auto read = read_options(options);
    if (!read.ok()) return read.error();
    auto made = hawser::Engine::create(*read);
    if (!made.ok()) return made.error();
    handle.description = (*made)->description();
    handle.engine = std::move(*made);
    return {};
  });
}

hawser_status_t hawser_engine_close(hawser_engine_t* engine, int timeout_ms) {
  return guarded([&]() -> Status {
    if (Status given = require(engine != nullptr, kNoEngine); !given.ok()) return given;
    return engine->engine->close(timeout_ms);
  });
}

void hawser_engine_destroy(hawser_engine_t* engine) {
  delete engine;
}

const char* hawser_engine_description(hawser_engine_t* engine) {
  return engine == nullptr ? "" : engine->description.c_str();
}

hawser_status_t hawser_engine_devices_json(hawser_engine_t* engine, char** json) {
  return make_text(json, [&]() -> hawser::Result<std::string> {
    if (const Status given = require(engine != nullptr, kNoEngine); !given.ok())
      return given.error();
    return names_json(engine->engine->devices());
  });
}

int hawser_engine_event_fd(hawser_engine_t* engine) {
  if (engine == nullptr) return -1;
  return guarded_value(-1, [&] { return engine->engine->event_fd(); });
}

hawser_status_t hawser_engine_clear_event(hawser_engine_t* engine) {
  return guarded([&]() -> Status {
    if (Status given = require(engine != nullptr, kNoEngine); !given.ok()) return given;
    engine->engine->clear_event();
    return {};
  });
}

hawser_status_t hawser_engine_register(hawser_engine_t* engine, void* data, uint64_t bytes,
                                       hawser_rights_t rights, hawser_region_t** region) {
  return make_handle(region, [&](hawser_region_t& handle) -> Status {
    if (Status given = require(engine != nullptr, kNoEngine); !given.ok()) return given;
    if (Status there = require(data != nullptr || bytes == 0, "memory at null"); !there.ok())
      return there;
    const bool known = rights >= HAWSER_RIGHTS_NONE && rights <= HAWSER_RIGHTS_READ_WRITE;
    if (Status right = require(known, "no such rights"); !right.ok()) return right;
    auto made = engine->engine->register_memory(data, bytes, static_cast<hawser::Rights>(rights));
    if (!made.ok()) return made.error();
    handle.region = std::move(*made);
    return {};
  });
}

hawser_status_t hawser_engine_listen(hawser_engine_t* engine, const char* address, int port,
                                     const hawser_link_options_t* options,
                                     hawser_acceptor_t** acceptor) {
  return make_handle(acceptor, [&](hawser_acceptor_t& handle) -> Status {
    const bool given = engine != nullptr && address != nullptr;
    if (Status there = require(given, "no engine or no address: null"); !there.ok()) return there;
    const auto read = read_options(options);
    if (!read.ok()) return read.error();
    auto made = engine->engine->listen(address, port, *read);
    if (!made.ok()) return made.error();
    handle.acceptor = std::move(*made);
    return {};
  });
}

hawser_status_t hawser_engine_connect(hawser_engine_t* engine, const char* address, int port,
                                      const hawser_link_options_t* options, hawser_link_t** link) {
  return make_handle(link, [&](hawser_link_t& handle) -> Status {
    const bool given = engine != nullptr && address != nullptr;
    if (Status there = require(given, "no engine or no address: null"); !there.ok()) return there;
    const auto read = read_options(options);
    if (!read.ok()) return read.error();
    auto made = engine->engine->connect(address, port, *read);
    if (!made.ok()) return made.error();
    return hold_link(handle, std::move(*made));
  });
}
