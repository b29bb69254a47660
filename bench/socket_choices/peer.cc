#include "socket_choices/peer.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "perf/affinity.h"
#include "socket_choices/server.h"

namespace hawser::bench {
namespace {

// Of the child: ends with it.
[[noreturn]] void serve(Control control, const std::vector<Variant>& variants, Milliseconds timeout,
                        int cpu) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const auto pinned = ScopedAffinity::pin(cpu < 0 ? std::vector<int>() : std::vector<int>{cpu});
  if (!pinned.ok()) {
    std::fprintf(stderr, "the receiving process: %s\n", pinned.error().message().c_str());
    ::_exit(1);
  }
  Server(std::move(control), variants, timeout).serve();
  ::_exit(0);
}

}  // namespace

Result<Peer> Peer::start(const std::vector<Variant>& variants, Milliseconds timeout, int cpu) {
  HAWSER_ASSIGN(auto ends, Control::make_pair());
  const pid_t child = ::fork();
  if (child < 0) return system_error(errno, "starting the receiving process");
  if (child == 0) {
    ends.first = Control(UniqueFd());
    serve(std::move(ends.second), variants, timeout, cpu);
  }
  return Peer(child, std::move(ends.first));
}

Peer::~Peer() {
  if (child_ < 0) return;
  ::kill(child_, SIGKILL);  // it has nothing to put away
  ::waitpid(child_, nullptr, 0);
}

}  // namespace hawser::bench
