#include "support/netns.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <sstream>
#include <thread>

#include "base/fd.h"

namespace hawser::test {
namespace {

Outcome ip(const std::string& words) {
  Command command{.args = {"ip"}, .env = {}, .cwd = {}, .netns = {}};
  std::istringstream stream(words);
  for (std::string word; stream >> word;) command.arg(word);
  return run(std::move(command));
}

// What failed, or empty.
std::string try_ip(const std::string& words) {
  const Outcome outcome = ip(words);
  return outcome.exit_code == 0 ? "" : fmt::format("`ip {}` failed: {}", words, outcome.err);
}

}  // namespace

void inside(const std::string& netns, const std::function<void()>& work) {
  std::thread([&] {
    const UniqueFd fd(open(("/run/netns/" + netns).c_str(), O_RDONLY | O_CLOEXEC));
    ASSERT_EQ(setns(fd.get(), CLONE_NEWNET), 0);
    work();
  }).join();
}

NamespacePair::NamespacePair()
    : a_(fmt::format("hwtest-{}-a", getpid())), b_(fmt::format("hwtest-{}-b", getpid())) {}

NamespacePair::~NamespacePair() {
  ip("netns del " + a_);
  ip("netns del " + b_);
}

std::unique_ptr<NamespacePair> NamespacePair::create(int links, std::string& why_not) {
  if (geteuid() != 0) {
    why_not = "network namespaces need root";
    return nullptr;
  }
  if (access("/sbin/ip", X_OK) != 0 && access("/usr/sbin/ip", X_OK) != 0 &&
      access("/bin/ip", X_OK) != 0) {
    why_not = "network namespaces need the program `ip` (package iproute2)";
    return nullptr;
  }
  std::unique_ptr<NamespacePair> pair(new NamespacePair);
  why_not = pair->build(links);
  return why_not.empty() ? std::move(pair) : nullptr;
}

std::string NamespacePair::build(int links) {
  std::vector<std::string> steps = {"netns add " + a_, "netns add " + b_,
                                    "-n " + a_ + " link set lo up", "-n " + b_ + " link set lo up"};
  for (int i = 0; i < links; ++i) {
    const std::string name = link_name(i);
    steps.push_back(
        fmt::format("-n {} link add {} type veth peer name {} netns {}", a_, name, name, b_));
    for (const auto& [netns, host] : {std::pair(a_, 1), std::pair(b_, 2)}) {
      steps.push_back(fmt::format("-n {} addr add 10.77.{}.{}/24 dev {}", netns, i, host, name));
      steps.push_back(
          fmt::format("-n {} addr add fd77:{}::{}/64 dev {} nodad", netns, i, host, name));
      steps.push_back(fmt::format("-n {} link set {} up", netns, name));
    }
  }
  for (const auto& step : steps)
    if (const std::string problem = try_ip(step); !problem.empty()) return problem;
  return "";
}

bool NamespacePair::configure(const std::string& netns, const std::string& words) {
  const std::string problem = try_ip("-n " + netns + " " + words);
  EXPECT_EQ(problem, "");
  return problem.empty();
}

}  // namespace hawser::test
