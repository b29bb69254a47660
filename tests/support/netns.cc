#include "support/netns.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <sstream>
#include <tuple>
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
    : a_(fmt::format("hwtest-{}-a", getpid())),
      b_(fmt::format("hwtest-{}-b", getpid())),
      switch_(fmt::format("hwtest-{}-s", getpid())) {}

NamespacePair::~NamespacePair() {
  ip("netns del " + a_);
  ip("netns del " + b_);
  if (access(("/run/netns/" + switch_).c_str(), F_OK) == 0) ip("netns del " + switch_);
}

std::unique_ptr<NamespacePair> NamespacePair::create(int links, std::string& why_not,
                                                     Layout layout) {
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
  why_not = layout == Layout::cables ? pair->build(links) : pair->build_switched(links);
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

std::string NamespacePair::build_switched(int nics) {
  std::vector<std::string> steps = {"netns add " + a_,
                                    "netns add " + b_,
                                    "netns add " + switch_,
                                    "-n " + a_ + " link set lo up",
                                    "-n " + b_ + " link set lo up",
                                    "-n " + switch_ + " link add switch type bridge",
                                    "-n " + switch_ + " link set switch up"};
  for (int i = 0; i < nics; ++i) {
    const std::string name = link_name(i);
    for (const auto& [netns, port, address] :
         {std::tuple(a_, "a", switched_a(i)), std::tuple(b_, "b", switched_b(i))}) {
      steps.push_back(fmt::format("-n {} link add {} type veth peer name {}{} netns {}", netns,
                                  name, port, i, switch_));
      steps.push_back(fmt::format("-n {} link set {}{} master switch up", switch_, port, i));
      steps.push_back(fmt::format("-n {} addr add {}/24 dev {}", netns, address, name));
      steps.push_back(fmt::format("-n {} link set {} up", netns, name));
    }
  }
  for (const auto& step : steps)
    if (const std::string problem = try_ip(step); !problem.empty()) return problem;
  return "";
}

std::uint64_t NamespacePair::counter(const std::string& netns, const std::string& interface,
                                     const std::string& name) {
  Command command{.args = {"cat"}, .env = {}, .cwd = {}, .netns = netns};
  command.arg("/sys/class/net/" + interface + "/statistics/" + name);
  const Outcome outcome = run(std::move(command));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  return outcome.exit_code == 0 ? std::stoull(outcome.out) : 0;
}

bool NamespacePair::shell(const std::string& netns, const std::string& text) {
  Command command{.args = {"sh", "-c"}, .env = {}, .cwd = {}, .netns = netns};
  const Outcome outcome = run(std::move(command.arg(text)));
  EXPECT_EQ(outcome.exit_code, 0) << text << ": " << outcome.err;
  return outcome.exit_code == 0;
}

bool NamespacePair::configure(const std::string& netns, const std::string& words) {
  const std::string problem = try_ip("-n " + netns + " " + words);
  EXPECT_EQ(problem, "");
  return problem.empty();
}

}  // namespace hawser::test
