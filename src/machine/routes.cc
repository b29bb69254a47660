#include "machine/routes.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

#include "base/fd.h"

namespace hawser {
namespace {

constexpr std::size_t kIpv4Bytes = 4;

// With its attributes: three, of four bytes each.
struct Question {
  nlmsghdr header;
  rtmsg route;
  std::array<std::byte, 3 * RTA_SPACE(kIpv4Bytes)> attributes;
};
static_assert(sizeof(Question) == NLMSG_LENGTH(sizeof(rtmsg)) + 3 * RTA_SPACE(kIpv4Bytes));

Question ask(const IpAddress& from, const IpAddress& target, unsigned interface_index) {
  Question question{};
  question.header.nlmsg_len = sizeof question;
  question.header.nlmsg_type = RTM_GETROUTE;
  question.header.nlmsg_flags = NLM_F_REQUEST;
  question.route.rtm_family = AF_INET;
  question.route.rtm_dst_len = 32;
  question.route.rtm_src_len = 32;
  question.route.rtm_flags = RTM_F_FIB_MATCH;  // the route itself, not what is made up without
  std::byte* at = question.attributes.data();
  const auto add = [&at](unsigned short type, const void* value) {
    const rtattr attribute{RTA_LENGTH(kIpv4Bytes), type};
    std::memcpy(at, &attribute, sizeof attribute);
    std::memcpy(at + RTA_LENGTH(0), value, kIpv4Bytes);
    at += RTA_SPACE(kIpv4Bytes);
  };
  add(RTA_DST, target.bytes.data());
  add(RTA_SRC, from.bytes.data());
  add(RTA_OIF, &interface_index);
  return question;
}

}  // namespace

bool has_route(const IpAddress& from, const IpAddress& target, unsigned interface_index) {
  if (target.family != IpFamily::ipv4 || from.family != IpFamily::ipv4) return true;
  const UniqueFd kernel(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!kernel.valid()) return true;
  const Question question = ask(from, target, interface_index);
  if (::send(kernel.get(), &question, sizeof question, 0) != sizeof question) return true;
  alignas(nlmsghdr) std::array<std::byte, 4096> answer;
  const ssize_t got = ::recv(kernel.get(), answer.data(), answer.size(), 0);
  if (got < static_cast<ssize_t>(sizeof(nlmsghdr))) return true;
  nlmsghdr header;
  std::memcpy(&header, answer.data(), sizeof header);
  return header.nlmsg_type != NLMSG_ERROR;
}

}  // namespace hawser
