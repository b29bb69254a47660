// Two ranks of MPI: rank 0 sends and reports. mpi_pair stream|latency BYTES MESSAGES WINDOW
#include <mpi.h>

#include <vector>

#include "pair.h"

namespace {

// MPI ends the process at an error by itself. Of one thread.
class Link {
 public:
  explicit Link(int peer) : peer_(peer) {}

  void send_all(pair::Ring& ring, std::uint64_t messages) {
    in_turn(ring, messages, [&](void* data, MPI_Request* request) {
      MPI_Isend(data, bytes_of(ring), MPI_BYTE, peer_, kTag, MPI_COMM_WORLD, request);
    });
  }
  void receive_all(pair::Ring& ring, std::uint64_t messages) {
    in_turn(ring, messages, [&](void* data, MPI_Request* request) {
      MPI_Irecv(data, bytes_of(ring), MPI_BYTE, peer_, kTag, MPI_COMM_WORLD, request);
    });
  }
  void send_one(void* data, std::size_t bytes) {
    MPI_Send(data, static_cast<int>(bytes), MPI_BYTE, peer_, kTag, MPI_COMM_WORLD);
  }
  void receive_one(void* data, std::size_t bytes) {
    MPI_Recv(data, static_cast<int>(bytes), MPI_BYTE, peer_, kTag, MPI_COMM_WORLD,
             MPI_STATUS_IGNORE);
  }

 private:
  static constexpr int kTag = 1;

  static int bytes_of(const pair::Ring& ring) {
    return static_cast<int>(ring.bytes() / ring.slots());
  }

  // A message in every slot; the oldest one is waited for before its slot is used again.
  template <class Post>
  static void in_turn(pair::Ring& ring, std::uint64_t messages, Post&& post) {
    std::vector<MPI_Request> requests(ring.slots(), MPI_REQUEST_NULL);
    for (std::uint64_t i = 0; i < messages; ++i) {
      MPI_Request& request = requests[i % ring.slots()];
      MPI_Wait(&request, MPI_STATUS_IGNORE);
      post(ring.slot(i), &request);
    }
    MPI_Waitall(static_cast<int>(requests.size()), requests.data(), MPI_STATUSES_IGNORE);
  }

  int peer_;
};

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  if (argc != 5) pair::die("usage", "mpi_pair stream|latency BYTES MESSAGES WINDOW");
  int rank = 0;
  int ranks = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  if (ranks != 2) pair::die("usage", "mpi_pair wants two ranks");
  Link link(1 - rank);
  pair::run(link, pair::job_from(argv + 1), rank == 0);
  MPI_Finalize();
  return 0;
}
