// A unix socket that listens, as a receive manager's do: connections wait in its queue.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <string>

#include "base/fd.h"

namespace hawser::test {

class UnixServer {
 public:
  explicit UnixServer(const std::string& path)
      : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    EXPECT_LT(path.size(), sizeof address.sun_path);
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0)
        << path;
    EXPECT_EQ(::listen(socket_.get(), kQueue), 0);
  }

 private:
  static constexpr int kQueue = 1;
  UniqueFd socket_;
};

}  // namespace hawser::test
