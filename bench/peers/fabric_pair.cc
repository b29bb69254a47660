// Two ends of a connection (FI_EP_MSG) of libfabric's tcp provider: the client sends and reports.
//   fabric_pair server PORT stream|latency BYTES MESSAGES WINDOW
//   fabric_pair client PORT stream|latency BYTES MESSAGES WINDOW
#include <rdma/fabric.h>
#include <rdma/fi_cm.h>
#include <rdma/fi_domain.h>
#include <rdma/fi_endpoint.h>
#include <rdma/fi_eq.h>
#include <rdma/fi_errno.h>

#include "pair.h"

namespace {

constexpr const char* kAddress = "127.0.0.1";
// Of connecting; all else that may hang is bounded by peers.sh, which ends both processes.
constexpr int kConnectTimeoutMs = 10'000;
constexpr std::size_t kQueueEntries = 256;

void check(long result, const char* what) {
  if (result < 0) pair::die(what, fi_strerror(static_cast<int>(-result)));
}

fi_info* describe(const char* port, bool server) {
  fi_info* const hints = fi_allocinfo();
  hints->ep_attr->type = FI_EP_MSG;
  hints->caps = FI_MSG;
  hints->addr_format = FI_SOCKADDR_IN;
  hints->fabric_attr->prov_name = strdup("tcp");
  fi_info* info = nullptr;
  check(fi_getinfo(FI_VERSION(1, 9), kAddress, port, server ? FI_SOURCE : 0, hints, &info),
        "fi_getinfo");
  fi_freeinfo(hints);
  return info;
}

// The endpoint and what it needs. Nothing is closed: the process ends right after.
class Link {
 public:
  static Link serve(const char* port) {
    Link link(describe(port, true));
    fid_pep* listener = nullptr;
    check(fi_passive_ep(link.fabric_, link.info_, &listener, nullptr), "fi_passive_ep");
    check(fi_pep_bind(listener, &link.events_->fid, 0), "fi_pep_bind");
    check(fi_listen(listener), "fi_listen");
    link.info_ = link.await(FI_CONNREQ);
    link.open_endpoint();
    check(fi_accept(link.endpoint_, nullptr, 0), "fi_accept");
    link.await(FI_CONNECTED);
    return link;
  }

  static Link connect(const char* port) {
    Link link(describe(port, false));
    link.open_endpoint();
    check(fi_connect(link.endpoint_, link.info_->dest_addr, nullptr, 0), "fi_connect");
    link.await(FI_CONNECTED);
    return link;
  }

  void send_all(pair::Ring& ring, std::uint64_t messages) {
    in_turn(ring, messages, sent_, [&](void* data, std::size_t bytes) { post_send(data, bytes); });
  }
  void receive_all(pair::Ring& ring, std::uint64_t messages) {
    in_turn(ring, messages, received_,
            [&](void* data, std::size_t bytes) { post_receive(data, bytes); });
  }
  void send_one(void* data, std::size_t bytes) {
    post_send(data, bytes);
    await_one(sent_);
  }
  void receive_one(void* data, std::size_t bytes) {
    post_receive(data, bytes);
    await_one(received_);
  }

 private:
  explicit Link(fi_info* info) : info_(info) {
    check(fi_fabric(info_->fabric_attr, &fabric_, nullptr), "fi_fabric");
    fi_eq_attr attributes{};
    attributes.wait_obj = FI_WAIT_UNSPEC;
    check(fi_eq_open(fabric_, &attributes, &events_, nullptr), "fi_eq_open");
  }

  // The event that is expected next; the description that a connection request brings.
  fi_info* await(std::uint32_t expected) {
    std::uint32_t event = 0;
    fi_eq_cm_entry entry{};
    const ssize_t result = fi_eq_sread(events_, &event, &entry, sizeof entry, kConnectTimeoutMs, 0);
    check(result, "waiting for the connection");
    if (event != expected) pair::die("waiting for the connection", "another event came");
    return entry.info;
  }

  void open_endpoint() {
    check(fi_domain(fabric_, info_, &domain_, nullptr), "fi_domain");
    check(fi_endpoint(domain_, info_, &endpoint_, nullptr), "fi_endpoint");
    fi_cq_attr attributes{};
    attributes.size = kQueueEntries;
    attributes.format = FI_CQ_FORMAT_CONTEXT;
    check(fi_cq_open(domain_, &attributes, &sent_, nullptr), "fi_cq_open");
    check(fi_cq_open(domain_, &attributes, &received_, nullptr), "fi_cq_open");
    check(fi_ep_bind(endpoint_, &events_->fid, 0), "fi_ep_bind");
    check(fi_ep_bind(endpoint_, &sent_->fid, FI_TRANSMIT), "fi_ep_bind");
    check(fi_ep_bind(endpoint_, &received_->fid, FI_RECV), "fi_ep_bind");
    check(fi_enable(endpoint_), "fi_enable");
  }

  // True: a request of that queue has ended. Reading a queue is what makes progress.
  static bool poll(fid_cq* queue) {
    fi_cq_entry entry{};
    const ssize_t result = fi_cq_read(queue, &entry, 1);
    if (result == -FI_EAGAIN) return false;
    check(result, "fi_cq_read");
    return true;
  }
  static void await_one(fid_cq* queue) {
    while (!poll(queue)) {
    }
  }

  void post_send(void* data, std::size_t bytes) {
    long result = 0;
    while ((result = fi_send(endpoint_, data, bytes, nullptr, 0, nullptr)) == -FI_EAGAIN)
      make_room();
    check(result, "fi_send");
  }
  void post_receive(void* data, std::size_t bytes) {
    long result = 0;
    while ((result = fi_recv(endpoint_, data, bytes, nullptr, 0, nullptr)) == -FI_EAGAIN)
      make_room();
    check(result, "fi_recv");
  }
  // Progress without taking a completion away from whoever counts them.
  void make_room() {
    fi_cq_read(sent_, nullptr, 0);
    fi_cq_read(received_, nullptr, 0);
  }

  // As many in flight as the ring has slots; a connection's requests end in order.
  template <class Post>
  static void in_turn(pair::Ring& ring, std::uint64_t messages, fid_cq* queue, Post&& post) {
    const std::size_t bytes = ring.bytes() / ring.slots();
    for (std::uint64_t i = 0; i < messages; ++i) {
      if (i >= ring.slots()) await_one(queue);
      post(ring.slot(i), bytes);
    }
    for (std::uint64_t left = std::min<std::uint64_t>(messages, ring.slots()); left > 0; --left)
      await_one(queue);
  }

  fi_info* info_;
  fid_fabric* fabric_ = nullptr;
  fid_eq* events_ = nullptr;
  fid_domain* domain_ = nullptr;
  fid_ep* endpoint_ = nullptr;
  fid_cq* sent_ = nullptr;
  fid_cq* received_ = nullptr;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7)
    pair::die("usage", "fabric_pair server|client PORT stream|latency BYTES MESSAGES WINDOW");
  const bool server = std::strcmp(argv[1], "server") == 0;
  const pair::Job job = pair::job_from(argv + 3);
  Link link = server ? Link::serve(argv[2]) : Link::connect(argv[2]);
  pair::run(link, job, !server);
  return 0;
}
