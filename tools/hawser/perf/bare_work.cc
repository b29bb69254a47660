#include "perf/bare_work.h"

#include <fmt/core.h>
#include <sys/socket.h>

#include <cerrno>

#include "memory/pattern.h"
#include "perf/time.h"

namespace hawser {
namespace {

std::byte* slot(const Buffer& buffer, const MessageRun& run, std::uint64_t message) {
  return buffer.range().at(message % run.slots * run.message_bytes);
}

// 0 where the socket would block.
Result<std::size_t> moved(ssize_t result, const char* doing) {
  if (result > 0) return static_cast<std::size_t>(result);
  if (result == 0) return Error(Code::peer, fmt::format("{}: the other side closed it", doing));
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return std::size_t{0};
  return Error(Code::peer, system_error(errno, doing).message());
}

template <class Call>
Status poll_all(std::size_t bytes, Watch& watch, const char* doing, Call&& call) {
  for (std::size_t at = 0; at < bytes;) {
    HAWSER_ASSIGN(const std::size_t step, moved(call(at), doing));
    at += step;
    HAWSER_TRY(watch.after(step > 0));
  }
  return {};
}

Status send_polling(int socket, const std::byte* data, std::size_t bytes, Watch& watch) {
  return poll_all(bytes, watch, "sending over a bare socket", [&](std::size_t at) {
    return ::send(socket, data + at, bytes - at, MSG_NOSIGNAL | MSG_DONTWAIT);
  });
}

Status receive_polling(int socket, std::byte* data, std::size_t bytes, Watch& watch) {
  return poll_all(bytes, watch, "receiving over a bare socket", [&](std::size_t at) {
    return ::recv(socket, data + at, bytes - at, MSG_DONTWAIT);
  });
}

}  // namespace

Result<std::unique_ptr<BareLink>> BareLink::make(Role role, std::vector<UniqueFd> sockets,
                                                 std::size_t ring_bytes) {
  std::vector<Way> ways;
  for (UniqueFd& socket : sockets) {
    HAWSER_ASSIGN(Buffer buffer, Buffer::host(ring_bytes));
    // A page that was never written is the kernel's one page of zeros, and flatters the sender.
    HAWSER_TRY(write_pattern({}, buffer, ring_bytes));
    ways.push_back({std::move(socket), std::move(buffer)});
  }
  return std::unique_ptr<BareLink>(new BareLink(role, std::move(ways)));
}

Status BareLink::assemble(bool bidirectional) {
  const auto members = static_cast<int>(bidirectional ? ways_.size() : ways_.size() / 2);
  if (crew_ && crew_->members() == members) return {};
  HAWSER_ASSIGN(crew_, Crew::make(members));
  return {};
}

Status BareLink::stream(const StreamWork& work, const WaitBound& bound) {
  HAWSER_TRY(assemble(work.bidirectional));
  const auto out = [&](int socket, const std::byte* data, std::size_t bytes) {
    return send_all(socket, data, bytes, bound);
  };
  const auto in = [&](int socket, std::byte* data, std::size_t bytes) {
    return receive_all(socket, data, bytes, bound);
  };
  return crew_->run([&](int member) {
    Way& way = ways_[static_cast<std::size_t>(member)];
    return sends(member) ? send(way, work.run, out, in) : receive(way, work.run, out, in);
  });
}

Status BareLink::stream_polling(const StreamWork& work, PerfIdle idle, const WaitBound& bound) {
  HAWSER_TRY(assemble(work.bidirectional));
  return crew_->run([&](int member) {
    Watch watch(idle, bound, "the bare stream");
    const auto out = [&](int socket, const std::byte* data, std::size_t bytes) {
      return send_polling(socket, data, bytes, watch);
    };
    const auto in = [&](int socket, std::byte* data, std::size_t bytes) {
      return receive_polling(socket, data, bytes, watch);
    };
    Way& way = ways_[static_cast<std::size_t>(member)];
    return sends(member) ? send(way, work.run, out, in) : receive(way, work.run, out, in);
  });
}

template <class Send, class Receive>
Status BareLink::send(Way& way, const MessageRun& run, Send&& send_bytes, Receive&& receive_bytes) {
  for (std::uint64_t i = 0; i < run.messages; ++i)
    HAWSER_TRY(send_bytes(way.socket.get(), slot(way.buffer, run, i), run.message_bytes));
  std::byte token[kTokenBytes];
  return receive_bytes(way.socket.get(), token, kTokenBytes);
}

template <class Send, class Receive>
Status BareLink::receive(Way& way, const MessageRun& run, Send&& send_bytes,
                         Receive&& receive_bytes) {
  for (std::uint64_t i = 0; i < run.messages; ++i)
    HAWSER_TRY(receive_bytes(way.socket.get(), slot(way.buffer, run, i), run.message_bytes));
  const std::byte token[kTokenBytes] = {};
  return send_bytes(way.socket.get(), token, kTokenBytes);
}

Status BareLink::ping(std::size_t bytes, std::uint64_t round_trips, Watch& watch,
                      LatencyHistogram* round_trip_ns) {
  const int socket = ways_.front().socket.get();
  std::byte* const from = ways_.front().buffer.range().at(0);
  std::byte* const to = ways_.back().buffer.range().at(0);  // as a transport's: memory of its own
  std::uint64_t before = now_ns();
  for (std::uint64_t i = 0; i < round_trips; ++i) {
    HAWSER_TRY(send_polling(socket, from, bytes, watch));
    HAWSER_TRY(receive_polling(socket, to, bytes, watch));
    const std::uint64_t now = now_ns();
    if (round_trip_ns != nullptr) round_trip_ns->record(now - before);
    before = now;
  }
  return {};
}

Status BareLink::pong(std::size_t bytes, std::uint64_t round_trips, Watch& watch) {
  const int socket = ways_.front().socket.get();
  for (std::uint64_t i = 0; i < round_trips; ++i) {
    HAWSER_TRY(receive_polling(socket, ways_.back().buffer.range().at(0), bytes, watch));
    HAWSER_TRY(send_polling(socket, ways_.front().buffer.range().at(0), bytes, watch));
  }
  return {};
}

}  // namespace hawser
