#include "support/tcp_pair.h"

#include <gtest/gtest.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "support/net_pair.h"

namespace hawser::test {
namespace {

Request* posted(Result<Request*> request) {
  EXPECT_TRUE(request.ok()) << request.error().message();
  EXPECT_TRUE(!request.ok() || *request != nullptr) << "no place for a further message";
  return request.ok() ? *request : nullptr;
}

// True where it is done, or has failed, which is a test failure.
template <class AnyComm>
bool over(AnyComm& comm, Request* request, bool& good) {
  const auto result = comm.test(request);
  EXPECT_TRUE(result.ok()) << result.error().message();
  good = good && result.ok();
  return !result.ok() || result->done;
}

constexpr int kEstablished = 1;  // TCP_ESTABLISHED, of a header that excludes <linux/tcp.h>

}  // namespace

std::unique_ptr<Net> loopback_net(int sockets, int io_threads) {
  TcpOptions options;
  options.interfaces.names = "=lo";
  options.interfaces.family = FamilyChoice::ipv4;
  options.sockets_per_channel = sockets;
  options.io_threads = io_threads;
  auto net = make_tcp_net(options);
  EXPECT_TRUE(net.ok()) << net.error().message();
  return net.ok() ? std::move(*net) : nullptr;
}

TcpPair::TcpPair(int sockets, int io_threads, std::size_t buffer_bytes)
    : net_(loopback_net(sockets, io_threads)), from_(buffer_bytes), to_(buffer_bytes) {
  auto pair = connect_pair(*net_, 0, Deadline::after(kPairPatience));
  EXPECT_TRUE(pair.ok()) << pair.error().message();
  if (!pair.ok()) return;
  sender_ = std::move(pair->sender);
  receiver_ = std::move(pair->receiver);
  source_ = *sender_->register_memory(from_.range());
  sink_ = *receiver_->register_memory(to_.range());
}

TcpPair::~TcpPair() {
  end_sender();
  end_receiver();
}

void TcpPair::end_sender() {
  if (!sender_) return;
  EXPECT_TRUE(sender_->deregister(source_).ok());
  set_log_sink([](LogLevel, std::string_view) {});
  sender_.reset();
  set_log_sink({});
}

void TcpPair::end_receiver() {
  if (!receiver_) return;
  EXPECT_TRUE(receiver_->deregister(sink_).ok());
  set_log_sink([](LogLevel, std::string_view) {});
  receiver_.reset();
  set_log_sink({});
}

Request* TcpPair::send(std::size_t offset, std::size_t bytes) {
  return posted(sender_->try_send(from_.data() + offset, bytes, 7, source_));
}
Request* TcpPair::receive(std::size_t offset, std::size_t bytes) {
  return posted(receiver_->try_receive(to_.data() + offset, bytes, 7, sink_));
}

bool TcpPair::finish(std::vector<Request*> sends, std::vector<Request*> receives) {
  const Deadline deadline = Deadline::after(kPairPatience);
  bool good = true;
  for (Backoff backoff; good && !(sends.empty() && receives.empty()); backoff.idle()) {
    if (deadline.expired()) {
      ADD_FAILURE() << sends.size() << " sends and " << receives.size() << " receives are not done";
      return false;
    }
    const auto ended = std::erase_if(sends, [&](auto* r) { return over(*sender_, r, good); }) +
                       std::erase_if(receives, [&](auto* r) { return over(*receiver_, r, good); });
    if (ended > 0) backoff.progressed();
  }
  return good;
}

bool TcpPair::move(std::size_t bytes) {
  Request* const received = receive(0, bytes);
  return finish({send(0, bytes)}, {received});
}

namespace {

// Nothing: it is no connected TCP socket.
std::optional<tcp_info> connected(int fd) {
  tcp_info info{};
  socklen_t bytes = sizeof info;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &bytes) != 0) return std::nullopt;
  return info.tcpi_state == kEstablished ? std::optional(info) : std::nullopt;
}

ino_t inode_of(int fd) {
  struct stat status {};
  return fstat(fd, &status) == 0 ? status.st_ino : 0;
}

std::vector<int> open_files() {
  std::vector<int> files;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
    files.push_back(std::stoi(entry.path().filename().string()));
  return files;
}

// What was connected when the test began is another's: a library that stays keeps its own.
class ConnectedBefore : public testing::EmptyTestEventListener {
 public:
  void OnTestStart(const testing::TestInfo& test) override {
    inodes_.clear();
    // Only these ask; of others a thread may be closing one meanwhile.
    if (std::string_view(test.test_suite_name()).find("Tcp") == std::string_view::npos) return;
    for (const int fd : open_files())
      if (connected(fd)) inodes_.insert(inode_of(fd));
  }
  bool has(int fd) const { return inodes_.contains(inode_of(fd)); }

 private:
  std::set<ino_t> inodes_;
};

// The framework's, for good.
ConnectedBefore* const connected_before = [] {
  auto* const listener = new ConnectedBefore;
  testing::UnitTest::GetInstance()->listeners().Append(listener);
  return listener;
}();

}  // namespace

std::vector<SocketTraffic> connected_sockets() {
  std::vector<SocketTraffic> found;
  for (const int fd : open_files())
    if (const auto info = connected(fd); info && !connected_before->has(fd))
      found.push_back({fd, info->tcpi_bytes_acked, info->tcpi_bytes_received});
  return found;
}

}  // namespace hawser::test
