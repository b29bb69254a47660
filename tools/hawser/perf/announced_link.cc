#include "perf/announced_link.h"

#include <fmt/core.h>

#include <vector>

#include "base/log_limiter.h"
#include "engine/region_table.h"

namespace hawser {
namespace {

constexpr int kAcceptMs = 100;        // between looks at what else may end the wait
constexpr int kCallerMs = 5;          // between looks at what callers say
constexpr std::size_t kCallers = 16;  // that have not said who they are; the oldest gives way

enum class Caller { silent, right, wrong };

Caller judge(const Link& link, const std::string& secret) {
  if (const auto said = link.take_notification())
    return said->text == secret ? Caller::right : Caller::wrong;
  return link.up() ? Caller::silent : Caller::wrong;
}

void turn_away(const Link& link, StrangerLog& log) {
  log.take(LogLevel::warning,
           fmt::format("a link from {} is not the client's: closed", link.peer()));
  link.close();
}

}  // namespace

Result<std::string> make_secret() {
  HAWSER_ASSIGN(const engine::wire::Key key, engine::make_key());
  std::string secret;
  for (const std::byte byte : key) secret += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
  return secret;
}

Result<Link> accept_announced(Acceptor& acceptor, const std::string& secret,
                              const WaitBound& bound) {
  std::vector<Link> callers;
  StrangerLog log;
  while (true) {
    auto link = acceptor.accept(callers.empty() ? kAcceptMs : kCallerMs);
    if (link.ok()) callers.push_back(*link);
    if (!link.ok() && link.error().code() != Code::timeout) return link.error();
    for (std::size_t i = 0; i < callers.size();) {
      const Caller caller = judge(callers[i], secret);
      if (caller == Caller::right) {
        Link right = std::move(callers[i]);
        callers.erase(callers.begin() + static_cast<std::ptrdiff_t>(i));
        for (const Link& other : callers) turn_away(other, log);
        return right;
      }
      if (caller == Caller::silent && callers.size() <= kCallers) {
        ++i;
        continue;
      }
      turn_away(callers[i], log);
      callers.erase(callers.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (auto error = bound.broken("the client's link")) return *error;
  }
}

}  // namespace hawser
