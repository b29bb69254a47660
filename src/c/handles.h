// What is behind the handles of C: one of C++ each.
#pragma once

#include <memory>
#include <string>

#include <hawser/engine.h>
#include <hawser/hawser.h>

#include "c/failure.h"

struct hawser_engine {
  std::unique_ptr<hawser::Engine> engine;
  std::string description;  // which C reads where it is
};

struct hawser_acceptor {
  std::unique_ptr<hawser::Acceptor> acceptor;
};

struct hawser_link {
  hawser::Link link;
  std::string peer;  // which C reads where it is
};

struct hawser_region {
  hawser::Region region;
};

struct hawser_transfer {
  hawser::Transfer transfer;
};

namespace hawser::capi {

// Makes a handle of what `work` (Handle& -> Status) puts into it, and hands it over through `made`,
// which is null after any failure. The handle comes first: where there is no memory for it, nothing
// has been begun that nobody could end.
template <class Handle, class Work>
hawser_status_t make_handle(Handle** made, Work&& work) noexcept {
  if (made == nullptr) return failed(Code::invalid_argument, "no place for the new handle");
  *made = nullptr;
  return guarded([&]() -> Status {
    auto handle = std::make_unique<Handle>();
    if (Status done = work(*handle); !done.ok()) return done;
    *made = handle.release();
    return {};
  });
}

inline Status hold_link(hawser_link_t& handle, Link link) {
  handle.peer = link.peer();
  handle.link = std::move(link);
  return {};
}

}  // namespace hawser::capi
