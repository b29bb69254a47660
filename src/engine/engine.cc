// The public handles: Engine and Acceptor.
#include <algorithm>

#include <hawser/engine.h>

#include "base/log.h"
#include "engine/acceptor_core.h"
#include "engine/engine_core.h"

namespace hawser {
namespace {

Error inherited_engine() {
  return inherited_error("this engine");
}

}  // namespace

Engine::Engine(std::shared_ptr<engine::EngineCore> impl) : impl_(std::move(impl)) {}

Engine::~Engine() {
  if (impl_->inherited()) return;
  if (impl_->callbacks().calling())
    log_error(
        "an engine is destroyed in one of its own callbacks, which is forbidden: others that "
        "are due are dropped");
  static_cast<void>(impl_->shut().ok());  // it was said
}

Status Engine::close(int timeout_ms) {
  if (impl_->inherited()) return inherited_engine();
  if (impl_->callbacks().calling())
    return Error(Code::invalid_argument,
                 "an engine cannot be closed in one of its own callbacks: its end waits for them");
  return impl_->shut(Milliseconds(std::max(timeout_ms, 0)));
}

Result<std::unique_ptr<Engine>> Engine::create(const EngineOptions& options) {
  HAWSER_ASSIGN(std::shared_ptr<engine::EngineCore> core, engine::EngineCore::create(options));
  return std::unique_ptr<Engine>(new Engine(std::move(core)));
}

Result<Region> Engine::register_memory(void* data, std::uint64_t bytes, Rights rights) {
  if (impl_->inherited()) return inherited_engine();
  HAWSER_ASSIGN(std::shared_ptr<engine::LocalRegion> region,
                impl_->register_memory(data, bytes, rights));
  return Region(std::move(region));
}

Result<std::unique_ptr<Acceptor>> Engine::listen(const std::string& address, int port,
                                                 const LinkOptions& options) {
  if (impl_->inherited()) return inherited_engine();
  const std::shared_ptr<engine::EngineCore> engine = impl_;  // it may be destroyed meanwhile
  HAWSER_ASSIGN(std::shared_ptr<engine::AcceptorCore> core, engine->listen(address, port, options));
  return std::unique_ptr<Acceptor>(new Acceptor(std::move(core)));
}

Result<Link> Engine::connect(const std::string& address, int port, const LinkOptions& options) {
  if (impl_->inherited()) return inherited_engine();
  const std::shared_ptr<engine::EngineCore> engine = impl_;  // it may be destroyed meanwhile
  HAWSER_ASSIGN(std::shared_ptr<engine::LinkCore> link, engine->connect(address, port, options));
  return Link(std::move(link));
}

int Engine::event_fd() {
  return impl_->inherited() ? -1 : impl_->bell().fd();
}

void Engine::clear_event() {
  if (!impl_->inherited()) impl_->bell().clear();
}

std::string Engine::description() const {
  return impl_->description();
}

std::vector<std::string> Engine::devices() const {
  std::vector<std::string> names;
  const auto nics = impl_->nics();
  for (const int device : nics->all())
    names.push_back(impl_->net()->devices()[static_cast<std::size_t>(device)].name);
  return names;
}

Acceptor::Acceptor(std::shared_ptr<engine::AcceptorCore> impl) : impl_(std::move(impl)) {}

Acceptor::~Acceptor() {
  close();
}

int Acceptor::port() const {
  return impl_->port();
}

Result<Link> Acceptor::accept(int timeout_ms) {
  if (impl_->inherited()) return inherited_error("this acceptor");
  HAWSER_ASSIGN(std::shared_ptr<engine::LinkCore> link, impl_->accept(timeout_ms));
  return Link(std::move(link));
}

std::optional<Link> Acceptor::try_accept() {
  if (impl_->inherited()) return std::nullopt;
  auto link = impl_->try_accept();
  if (link == nullptr) return std::nullopt;
  return Link(std::move(link));
}

void Acceptor::close() {
  if (!impl_->inherited()) impl_->close();
}

}  // namespace hawser
