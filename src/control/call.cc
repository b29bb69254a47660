#include "control/call.h"

#include <fmt/core.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <optional>

#include "base/log.h"
#include "base/socket.h"

namespace hawser::control {
namespace {

constexpr Milliseconds kShortestPause{100};
constexpr Milliseconds kLongestPause{1000};
constexpr Milliseconds kConnectTimeout{3000};  // of one attempt at one address
constexpr Milliseconds kAnswerTimeout{5000};   // where there are other addresses to try
constexpr int kLookMs = 100;                   // how often it is asked whether to go on

Deadline earlier(const Deadline& deadline, Milliseconds timeout) {
  return deadline.remaining() < timeout ? deadline : Deadline::after(timeout);
}

bool may_come_later(int err) {
  return err != EACCES && err != EPERM && err != EINVAL && err != EMFILE && err != ENFILE;
}

Error unanswered(const Line& line, const Status& received) {
  if (line.closed())
    return Error(Code::peer,
                 fmt::format("{} closed the connection instead of answering", line.peer()));
  if (!received.ok()) return received.error();
  return Error(Code::timeout,
               fmt::format("{} took the connection but did not answer", line.peer()));
}

// One call. An attempt that came to nothing has left behind why: for good, or until the next one.
class Calling {
 public:
  Calling(const Call& call, const Answered& answered) : call_(call), answered_(answered) {}

  Result<std::unique_ptr<Line>> run();

 private:
  std::unique_ptr<Line> try_all();
  std::unique_ptr<Line> try_one(const SocketAddress& address, const Deadline& answer_by);
  int connect(const SocketAddress& address, UniqueFd& socket);
  bool hear_answer(Line& line, const Deadline& answer_by);
  bool wait(int fd, short events, const Deadline& until);
  void note(Error cause, bool may_mend);
  Error gave_up() const;
  std::string server() const { return sockets::host_and_port(call_.host, call_.port); }

  const Call& call_;
  const Answered& answered_;
  std::optional<Error> final_;
  std::optional<Error> last_;
};

Result<std::unique_ptr<Line>> Calling::run() {
  Milliseconds pause = kShortestPause;
  while (true) {
    if (auto line = try_all()) return line;
    if (!final_) wait(-1, 0, earlier(call_.deadline, pause));
    if (final_) return *final_;
    // Asked after the pause: an attempt that has no time left would tell a false last cause.
    if (call_.deadline.expired()) return gave_up();
    pause = std::min(pause * 2, kLongestPause);
  }
}

std::unique_ptr<Line> Calling::try_all() {
  const auto addresses = sockets::resolve(call_.host, call_.port, sockets::Use::connect);
  if (!addresses.ok()) {
    note(addresses.error(), addresses.error().code() == Code::unavailable);
    return nullptr;
  }
  for (const SocketAddress& address : *addresses) {
    const Deadline answer_by =
        addresses->size() == 1 ? call_.deadline : earlier(call_.deadline, kAnswerTimeout);
    if (auto line = try_one(address, answer_by)) return line;
    if (final_ || call_.deadline.expired()) break;
  }
  return nullptr;
}

std::unique_ptr<Line> Calling::try_one(const SocketAddress& address, const Deadline& answer_by) {
  UniqueFd socket;
  if (const int err = connect(address, socket); err != 0) {
    note(system_error(err, fmt::format("connecting to {}", address.text())), may_come_later(err));
    return nullptr;
  }
  sockets::set_connection_options(socket.get());
  auto line = std::make_unique<Line>(std::move(socket), address.text(), call_.protocol);
  // Where the server has closed already its answer, perhaps a refusal, tells more than a failure.
  line->send(call_.hello);
  return hear_answer(*line, answer_by) ? std::move(line) : nullptr;
}

int Calling::connect(const SocketAddress& address, UniqueFd& socket) {
  socket = sockets::open_socket(address.ip.family);
  if (!socket.valid()) return errno;
  if (const int err = sockets::start_connect(socket.get(), address); err != 0) return err;
  if (!wait(socket.get(), POLLOUT, earlier(call_.deadline, kConnectTimeout))) return ETIMEDOUT;
  return sockets::connect_outcome(socket.get()).value_or(ETIMEDOUT);
}

bool Calling::hear_answer(Line& line, const Deadline& answer_by) {
  while (true) {
    const bool ready = wait(line.fd(), POLLIN, answer_by);
    const Status received = line.receive();
    const auto frame = line.next_frame();
    if (!frame.ok()) {
      note(Error(Code::protocol, fmt::format("{} is no {} of this version: {}", line.peer(),
                                             call_.listener, frame.error().message())),
           false);
      return false;
    }
    if (*frame) {
      const Status judged = answered_(line, **frame);
      if (!judged.ok()) note(judged.error(), false);
      return judged.ok();
    }
    if (ready && received.ok()) continue;
    note(unanswered(line, received), true);
    return false;
  }
}

// False: the time is over, or the call is.
bool Calling::wait(int fd, short events, const Deadline& until) {
  while (!final_) {
    pollfd waiting{fd, events, 0};
    if (::poll(&waiting, 1, until.poll_timeout_ms(kLookMs)) > 0) return true;
    if (until.expired()) return false;
    const Status on = call_.go_on ? call_.go_on() : Status();
    if (!on.ok()) final_ = on.error();
  }
  return false;
}

void Calling::note(Error cause, bool may_mend) {
  if (final_) return;
  if (!may_mend) {
    final_ = std::move(cause);
    return;
  }
  if (!last_)
    log_info("no answer from {} yet ({}); trying again for {} ms", server(), cause.message(),
             call_.deadline.remaining().count());
  last_ = std::move(cause);
}

Error Calling::gave_up() const {
  const auto seconds = std::chrono::duration<double>(call_.deadline.timeout()).count();
  return Error(Code::timeout,
               fmt::format("no {} answered at {} within {} s; last: {}. {}", call_.listener,
                           server(), seconds, last_->message(), call_.advice));
}

}  // namespace

Result<std::unique_ptr<Line>> call(const Call& call, const Answered& answered) {
  return Calling(call, answered).run();
}

}  // namespace hawser::control
