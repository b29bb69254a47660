#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "setup/rxdm.h"
#include "support/temp_dir.h"
#include "support/unix_server.h"

namespace hawser {
namespace {

using test::TempDir;
using test::UnixServer;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(Rxdm, SocketsOfAGpu) {
  EXPECT_THAT(
      rxdm_sockets("/run/tcpx", "0000:04:00.0"),
      ElementsAre("/run/tcpx/rx_rule_manager", "/run/tcpx/rx_rule_uninstall",
                  "/run/tcpx/get_gpu_fd_0000:04:00.0", "/run/tcpx/get_gpu_metadata_0000:04:00.0"));
  EXPECT_THAT(rxdm_sockets("/run/tcpx/", ""),
              ElementsAre("/run/tcpx/rx_rule_manager", "/run/tcpx/rx_rule_uninstall"));
}

TEST(Rxdm, ASocketThatAcceptsIsRight) {
  const TempDir dir;
  const UnixServer server(dir.file("s"));
  // More often than its queue is long: a busy manager is a manager, and nobody waits for it.
  for (int i = 0; i < 8; ++i) EXPECT_EQ(unix_socket_problem(dir.file("s")), "");
}

TEST(Rxdm, WhatIsWrongWithASocketIsTold) {
  const TempDir dir;
  EXPECT_THAT(unix_socket_problem(dir.file("none")), HasSubstr("No such file"));
  test::write_file(dir.file("file"), "");
  EXPECT_THAT(unix_socket_problem(dir.file("file")), HasSubstr("Connection refused"));
  { const UnixServer dead(dir.file("dead")); }  // its file stays
  EXPECT_THAT(unix_socket_problem(dir.file("dead")), HasSubstr("Connection refused"));
  EXPECT_THAT(unix_socket_problem(dir.file(std::string(200, 'x'))), HasSubstr("107 characters"));
}

}  // namespace
}  // namespace hawser
