#include "tcp/listener.h"

#include "tcp/receive_comm.h"

namespace hawser::tcp {

Result<std::unique_ptr<TcpListener>> TcpListener::open(Device& device) {
  HAWSER_ASSIGN(auto doorway, Doorway::open(device));
  doorway->await(0, 1);
  return std::unique_ptr<TcpListener>(new TcpListener(std::move(doorway)));
}

TcpListener::TcpListener(std::unique_ptr<Doorway> doorway)
    : doorway_(std::move(doorway)), handle_(doorway_->handle()), text_(doorway_->text()) {}

Result<std::unique_ptr<ReceiveComm>> TcpListener::try_accept() {
  if (!doorway_) return Error(Code::invalid_argument, text_ + ": it has served its one accept");
  HAWSER_ASSIGN(auto guest, doorway_->next());
  if (!guest) return std::unique_ptr<ReceiveComm>();
  auto doorway = std::move(doorway_);
  if (guest->flows == 1) doorway.reset();
  return std::unique_ptr<ReceiveComm>(std::make_unique<TcpReceiveComm>(
      std::move(guest->connection), std::move(doorway), guest->flows));
}

}  // namespace hawser::tcp
