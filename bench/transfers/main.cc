// How fast is the transfer API? Two processes on this machine, host or GPU memory at both ends.
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <map>
#include <thread>

#include "transfers/cases.h"

namespace hawser::bench {
namespace {

struct Options {
  int repeats = 5;
  int duration_ms = 300;
  int channels = 8;
  int threads = 0;
  std::uint64_t chunk_bytes = 0;
  std::string memory = "host,cuda";
  bool one_process = false;
  int gpu = 0;
  int peer_gpu = 0;
  std::string only;
};

constexpr std::uint64_t kBufferBytes = 512ULL << 20;
constexpr std::uint64_t kCheckedBytes = 64ULL << 20;

// Every byte once, before anything is believed.
Status verify(Peer& peer, bool client) {
  HAWSER_TRY(peer.fill(client ? 1 : 2));
  HAWSER_TRY(peer.link()
                 .write(peer.outgoing().span(0, kCheckedBytes), peer.incoming_there().at(0))
                 .result());
  HAWSER_TRY(peer.tell("written"));
  HAWSER_ASSIGN(const std::string written, peer.hear());
  return peer.check(client ? 2 : 1, kCheckedBytes);
}

Status measure(Peer& peer, const Options& options, bool client, const std::string& memory) {
  HAWSER_TRY(verify(peer, client));
  std::map<std::string, std::vector<double>> figures;
  for (int i = -1; i < options.repeats; ++i)  // the first is a warm-up
    for (const Case& what : all_cases()) {
      if (what.name.find(options.only) == std::string::npos) continue;
      HAWSER_ASSIGN(const double figure, run(peer, what, client, options.duration_ms));
      if (i >= 0) figures[what.name].push_back(figure);
    }
  if (!client) return {};
  for (const Case& what : all_cases()) {
    std::vector<double>& all = figures[what.name];
    if (all.empty()) continue;
    std::ranges::sort(all);
    std::printf("%-6s %-18s %8.2f %s  (%.2f to %.2f)\n", memory.c_str(), what.name.c_str(),
                all[all.size() / 2], what.shape == Shape::latency ? "us" : "GB/s", all.front(),
                all.back());
  }
  std::fflush(stdout);
  return {};
}

Status run_side(const Options& options, const std::string& memory, bool client, int fd) {
  const int gpu = client ? options.gpu : options.peer_gpu;
  Setup setup{kBufferBytes,
              options.channels,
              options.threads,
              options.chunk_bytes,
              memory == "cuda" ? gpu : -1,
              0};
  if (client && ::read(fd, &setup.port, sizeof setup.port) != sizeof setup.port)
    return Error(Code::system, "the server process did not start");
  HAWSER_ASSIGN(std::unique_ptr<Peer> peer, client ? Peer::call(setup) : Peer::serve(setup, fd));
  return measure(*peer, options, client, memory);
}

// Each memory in two new processes: neither may have touched CUDA before it was forked.
int run_pair(const Options& options, const std::string& memory) {
  int pipe[2];
  if (::pipe(pipe) != 0) return 3;
  pid_t sides[2];
  for (int client = 0; client < 2; ++client) {
    sides[client] = ::fork();
    if (sides[client] != 0) continue;
    ::close(pipe[client == 1 ? 1 : 0]);
    const Status done = run_side(options, memory, client == 1, pipe[client == 1 ? 0 : 1]);
    if (!done.ok())
      std::fprintf(stderr, "%s: %s\n", memory.c_str(), done.error().message().c_str());
    std::fflush(nullptr);
    ::_exit(done.ok() ? 0 : 1);
  }
  ::close(pipe[0]);
  ::close(pipe[1]);
  int worst = 0;
  for (const pid_t side : sides) {
    int status = 0;
    ::waitpid(side, &status, 0);
    worst = std::max(worst, status == 0 ? 0 : 1);
  }
  return worst;
}

// Two processes take turns on a GPU, by time slices; two engines of one process do not.
int run_in_one(const Options& options, const std::string& memory) {
  int pipe[2];
  if (::pipe(pipe) != 0) return 3;
  Status outcome[2];
  const auto side = [&](int client) {
    outcome[client] = run_side(options, memory, client == 1, pipe[client == 1 ? 0 : 1]);
    if (!outcome[client].ok())
      std::fprintf(stderr, "%s: %s\n", memory.c_str(), outcome[client].error().message().c_str());
  };
  std::thread server(side, 0);
  side(1);
  server.join();
  ::close(pipe[0]);
  ::close(pipe[1]);
  return outcome[0].ok() && outcome[1].ok() ? 0 : 1;
}

}  // namespace
}  // namespace hawser::bench

int main(int argc, char** argv) {
  hawser::bench::Options options;
  CLI::App app("Two processes on this machine, one link, and what it moves.");
  app.add_option("--repeats", options.repeats);
  app.add_option("--duration-ms", options.duration_ms, "of each sample");
  app.add_option("--channels", options.channels, "of the link")->capture_default_str();
  app.add_option("--threads", options.threads, "of each engine; 0: as it likes");
  app.add_option("--chunk-bytes", options.chunk_bytes, "0: as the engine likes");
  app.add_option("--memory", options.memory, "host, cuda, or both of them")
      ->capture_default_str()
      ->transform(CLI::CheckedTransformer(std::map<std::string, std::string>{
          {"host", "host"}, {"cuda", "cuda"}, {"host,cuda", "host,cuda"}, {"both", "host,cuda"}}));
  app.add_option("--gpu", options.gpu, "that sends")->capture_default_str();
  app.add_option("--peer-gpu", options.peer_gpu, "of the other side")->capture_default_str();
  app.add_flag("--one-process", options.one_process, "both engines in one process");
  app.add_option("--only", options.only, "cases whose names hold this");
  CLI11_PARSE(app, argc, argv);
  int worst = 0;
  for (const char* memory : {"host", "cuda"})
    if (options.memory.find(memory) != std::string::npos)
      worst = std::max(worst, options.one_process ? hawser::bench::run_in_one(options, memory)
                                                  : hawser::bench::run_pair(options, memory));
  return worst;
}
