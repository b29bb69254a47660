// An engine over a NCCL net plugin, which is given by its path (or by its short name, as
// NCCL_NET_PLUGIN has it) and moves the bytes instead of hawser's own sockets: GPUDirect-TCPX, an
// InfiniBand plugin, or any other of NCCL's ABI v5 to v12. Both sides must host the same one.
//
// The client reads from the server's memory, changes what it has, and sends it back.
#include "common.h"

namespace {

constexpr std::size_t kBytes = 8 << 20;
constexpr std::uint64_t kBackTag = 2;
constexpr std::uint64_t kSeed = 40, kBackSeed = 41;

std::unique_ptr<hawser::Engine> host(const std::string& plugin) {
  hawser::EngineOptions options;
  options.plugin = plugin;
  auto engine = example::need(hawser::Engine::create(options), "hosting " + plugin);
  std::cout << "hosting " << engine->description() << ", devices:";
  for (const std::string& device : engine->devices()) std::cout << ' ' << device;
  std::cout << std::endl;
  return engine;
}

void serve(const std::string& plugin, int port) {
  std::vector<std::byte> memory(kBytes), back(kBytes);
  example::fill(memory, kSeed);
  const auto engine = host(plugin);
  hawser::Region region = example::need(
      engine->register_memory(memory.data(), memory.size(), hawser::Rights::read), "registering");
  const hawser::Region inbox =
      example::need(engine->register_memory(back.data(), back.size()), "registering");
  const auto acceptor = example::need(engine->listen("0.0.0.0", port), "listening");
  const hawser::Link link = example::need(acceptor->accept(example::kPatienceMs), "accepting");

  // The receive is posted before the client knows what to send: it comes straight to its place.
  const hawser::Transfer answer = link.recv(kBackTag, inbox.span(0, kBytes));
  example::send_token(*engine, link, region);
  example::need(answer.result(), "receiving");
  example::check(back, kBackSeed);
  std::cout << "server: got " << answer.bytes_done() << " bytes back, all right" << std::endl;
  example::say_and_close(link, "every byte is right");
  example::need(region.deregister(), "deregistering");
}

void ask(const std::string& plugin, const std::string& address, int port) {
  std::vector<std::byte> memory(kBytes);
  const auto engine = host(plugin);
  const hawser::Region region =
      example::need(engine->register_memory(memory.data(), memory.size()), "registering");
  const hawser::Link link = example::need(engine->connect(address, port), "connecting");
  const hawser::RemoteRegion remote = example::receive_token(*engine, link);
  example::need(link.read(region.span(0, remote.bytes()), remote.at(0)).result(), "reading");
  example::check(memory, kSeed);
  std::cout << "client: read " << remote.bytes() << " bytes, all right" << std::endl;

  example::fill(memory, kBackSeed);
  example::need(link.send(kBackTag, region.span(0, kBytes)).result(), "sending");
  std::cout << "client: the server says '" << example::wait_for_notification(*engine, link) << "'"
            << std::endl;
  link.close(example::kPatienceMs);
}

}  // namespace

int main(int argc, char** argv) {
  example::Role role;
  if (argc < 2 || !example::read_role({argv + 2, static_cast<std::size_t>(argc) - 2}, role))
    return example::usage("host_plugin PLUGIN");
  return example::run([&] {
    if (role.serves)
      serve(argv[1], role.port);
    else
      ask(argv[1], role.address, role.port);
  });
}
