#include "socket_choices/server.h"

#include "perf/time.h"

namespace hawser::bench {

void Server::serve() {
  Command command;
  while (control_.receive(command, Deadline::after(timeout_ * kSilence)).ok()) obey(command);
}

void Server::obey(const Command& command) {
  if (command.order == Order::close) return close();
  const auto answer = [&]() -> Result<Reply> {
    if (command.order == Order::listen) return listen(command);
    if (command.order == Order::accept) return accept(command);
    return run(command);
  }();
  if (!answer.ok()) close();  // whoever waits on that connection sees it end
  // Where the other process has gone, the next receive() tells.
  (void)control_.send(answer.ok() ? *answer : Reply::failed(answer.error()));
}

Result<Reply> Server::listen(const Command& command) {
  close();
  variant_ = &variants_.at(command.variant);
  message_bytes_ = command.message_bytes;
  HAWSER_ASSIGN(meeting_, listen_on_loopback(variant_->socket));
  Reply reply;
  reply.port = meeting_.port;
  return reply;
}

Result<Reply> Server::accept(const Command& command) {
  HAWSER_ASSIGN(UniqueFd socket, accept_from(meeting_.socket.get(), command.port, variant_->socket,
                                             Deadline::after(timeout_)));
  meeting_.socket.reset();
  HAWSER_ASSIGN(link_, Link::make(std::move(socket), *variant_, message_bytes_, memory_));
  Reply reply;
  reply.say(link_->note());
  return reply;
}

Result<Reply> Server::run(const Command& command) {
  const std::uint64_t before = process_cpu_ns();
  link_->bound_by(Deadline::after(timeout_));
  HAWSER_TRY(variant_->traffic == Traffic::stream ? link_->receive_stream(command.messages)
                                                  : link_->pong(command.messages));
  Reply reply;
  reply.cpu_ns = process_cpu_ns() - before;
  return reply;
}

void Server::close() {
  link_.reset();
  meeting_.socket.reset();
}

}  // namespace hawser::bench
