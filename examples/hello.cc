// The smallest use of the transfer API: a client writes into a server's memory.
//
//   server                                   client
//   registers memory, listens                registers memory
//   accepts                                  connects
//   sends the token of its memory    ---->   receives it
//                                    <----   writes, with a notification
//   checks every byte
//   notifies that all is well        ---->   ends
#include "common.h"

namespace {

constexpr std::size_t kBytes = 16 << 20;
constexpr std::uint64_t kSeed = 2026;

void serve(int port) {
  std::vector<std::byte> memory(kBytes);  // before the engine, so that it outlives it
  const auto engine = example::need(hawser::Engine::create(), "making an engine");
  std::cout << "server: " << engine->description() << std::endl;
  hawser::Region region =
      example::need(engine->register_memory(memory.data(), memory.size()), "registering memory");
  const auto acceptor = example::need(engine->listen("0.0.0.0", port), "listening");
  std::cout << "server: listening on port " << acceptor->port() << std::endl;
  const hawser::Link link = example::need(acceptor->accept(example::kPatienceMs), "accepting");

  example::send_token(*engine, link, region);
  const std::string text = example::wait_for_notification(*engine, link);
  example::check(memory, kSeed);
  std::cout << "server: told '" << text << "', and all " << kBytes << " bytes are right"
            << std::endl;
  example::say_and_close(link, "every byte is right");

  // Nobody writes into the memory any more, and it may go.
  example::need(region.deregister(), "deregistering memory");
}

void ask(const std::string& address, int port) {
  std::vector<std::byte> memory(kBytes);
  example::fill(memory, kSeed);
  const auto engine = example::need(hawser::Engine::create(), "making an engine");
  const hawser::Region region =
      example::need(engine->register_memory(memory.data(), memory.size()), "registering memory");
  const hawser::Link link = example::need(engine->connect(address, port), "connecting");
  std::cout << "client: connected to " << link.peer() << std::endl;

  const hawser::RemoteRegion remote = example::receive_token(*engine, link);
  hawser::TransferOptions options;
  options.notification = "hello";  // arrives once all bytes are there
  const hawser::Transfer transfer = link.write(region.span(0, kBytes), remote.at(0), options);
  // The memory is the engine's until the transfer has ended; meanwhile this thread is free.
  example::need(transfer.result(), "writing");
  std::cout << "client: wrote " << transfer.bytes_done() << " bytes" << std::endl;

  std::cout << "client: the server says '" << example::wait_for_notification(*engine, link) << "'"
            << std::endl;
  link.close(example::kPatienceMs);
}

}  // namespace

int main(int argc, char** argv) {
  example::Role role;
  if (!example::read_role({argv + 1, static_cast<std::size_t>(argc) - 1}, role))
    return example::usage("hello");
  return example::run([&] {
    if (role.serves)
      serve(role.port);
    else
      ask(role.address, role.port);
  });
}
