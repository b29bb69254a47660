#include "support/net_pair.h"

namespace hawser::test {
namespace {

Error too_late(const char* what) {
  return Error(Code::timeout, what);
}

// Fills `comm` if it is empty and the other side is ready.
template <class Comm, class Poll>
Status poll_into(std::unique_ptr<Comm>& comm, Poll poll) {
  if (comm) return {};
  HAWSER_ASSIGN(comm, poll());
  return {};
}

template <class Comm, class Poll>
Result<std::unique_ptr<Comm>> wait_for(Poll poll, Deadline deadline, const char* what) {
  std::unique_ptr<Comm> comm;
  for (Backoff backoff; !deadline.expired(); backoff.idle()) {
    HAWSER_TRY(poll_into(comm, poll));
    if (comm) return comm;
  }
  return too_late(what);
}

}  // namespace

Result<std::unique_ptr<ReceiveComm>> wait_accepted(Listener& listener, Deadline deadline) {
  return wait_for<ReceiveComm>([&] { return listener.try_accept(); }, deadline,
                               "nothing was accepted");
}

Result<std::unique_ptr<SendComm>> wait_connected(Connector& connector, Deadline deadline) {
  return wait_for<SendComm>([&] { return connector.try_connect(); }, deadline,
                            "no connection was made");
}

Result<NetPair> connect_pair(Net& net, int device, Deadline deadline) {
  return connect_pair(net, device, net, device, deadline);
}

Result<NetPair> connect_pair(Net& receiving, int receiving_device, Net& sending, int sending_device,
                             Deadline deadline) {
  HAWSER_ASSIGN(const auto listener, receiving.listen(receiving_device));
  HAWSER_ASSIGN(const auto connector, sending.connect(sending_device, listener->handle()));
  NetPair pair;
  for (Backoff backoff; !deadline.expired(); backoff.idle()) {
    HAWSER_TRY(poll_into(pair.sender, [&] { return connector->try_connect(); }));
    HAWSER_TRY(poll_into(pair.receiver, [&] { return listener->try_accept(); }));
    if (pair.sender && pair.receiver) return pair;
  }
  return too_late("the pair was not connected");
}

}  // namespace hawser::test
