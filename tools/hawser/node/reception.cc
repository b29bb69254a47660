#include "node/reception.h"

#include <fmt/core.h>

#include <algorithm>

namespace hawser::node {
namespace {

constexpr Milliseconds kHelloTimeout{10'000};  // of a client that has made a link and says nothing
constexpr Milliseconds kPartingTime{1'000};    // for a refusal to arrive
// Between looks at whether the run goes on, and at those who have come.
constexpr Milliseconds kLookForCallers{100};
constexpr Milliseconds kLookAtCallers{5};

void end_link(Link& link) {
  link.close();
  link = Link();
}

}  // namespace

Result<Agreed> Reception::run(const Deadline& deadline) {
  while (true) {
    HAWSER_TRY(go_on(deadline));
    HAWSER_TRY(admit(deadline));
    for (Caller& caller : callers_) {
      std::optional<Agreed> agreed = look_at(caller);
      if (!agreed) continue;
      caller.link = Link();
      acceptor_.close();
      end_all();
      return std::move(*agreed);
    }
    callers_.remove_if([](const Caller& caller) { return !caller.link; });
  }
}

Status Reception::go_on(const Deadline& deadline) const {
  if (const auto off = state_.board.called_off()) return *off;
  if (state_.board.stopping()) return Error(Code::cancelled, "interrupted");
  if (!deadline.expired()) return {};
  return Error(Code::timeout, fmt::format("no client came to port {} within {} ms",
                                          acceptor_.port(), deadline.timeout().count()));
}

Status Reception::admit(const Deadline& deadline) {
  const Milliseconds look = callers_.empty() ? kLookForCallers : kLookAtCallers;
  const auto link =
      acceptor_.accept(static_cast<int>(std::min(deadline.remaining(), look).count()));
  if (link.ok()) take_in(*link);
  return link.ok() || link.error().code() == Code::timeout ? Status() : Status(link.error());
}

void Reception::take_in(const Link& link) {
  if (callers_.size() == kMaxCallers) {
    Caller& oldest = callers_.front();
    if (!oldest.refused)
      turn_away(oldest, Error(Code::peer, "gave way to a newer link: too many at once"));
    end_link(oldest.link);
    callers_.pop_front();
  }
  Caller caller{link, nullptr, {}, Deadline::after(kHelloTimeout)};
  auto messenger = Messenger::open(*state_.engine, {link, &state_.board, kPartingTime, true});
  if (!messenger.ok()) return turn_away(caller, messenger.error());
  caller.messenger = std::move(*messenger);
  caller.hello = caller.messenger->begin_hearing(kTagSetting, encoded_bytes(Hello()));
  callers_.push_back(std::move(caller));
}

// Something: the client.
std::optional<Agreed> Reception::look_at(Caller& caller) {
  if (caller.refused) {
    if (caller.messenger->all_heard() || caller.until.expired()) end_link(caller.link);
    return std::nullopt;
  }
  if (!caller.hello.done()) {
    if (caller.until.expired())
      turn_away(caller, Error(Code::timeout,
                              fmt::format("it said nothing for {} ms", kHelloTimeout.count())));
    return std::nullopt;
  }
  Result<Agreed> agreed = answer(caller);
  if (agreed.ok()) return std::move(*agreed);
  turn_away(caller, agreed.error());
  return std::nullopt;
}

Result<Agreed> Reception::answer(Caller& caller) {
  HAWSER_ASSIGN(Hello said,
                caller.messenger->heard<Hello>(caller.hello, "the client's first word"));
  const Plan plan{state_.hello(static_cast<std::uint32_t>(gpu_)), state_.seed};
  Status fits = judge(said, plan.server);
  if (fits.ok()) fits = state_.board.claim_peer(said.process);
  if (!fits.ok()) {
    caller.refused = caller.messenger->say(kTagSetting, Refuse{fits.error().message()}).ok();
    caller.until = Deadline::after(kPartingTime);
    return fits.error();
  }
  HAWSER_TRY(caller.messenger->say(kTagSetting, plan));
  return Agreed{std::move(caller.messenger), {plan, std::move(said)}};
}

// Who has been told stays until he has heard it.
void Reception::turn_away(Caller& caller, const Error& why) {
  state_.board.note(
      fmt::format("GPU {}: {} was refused: {}", gpu_, caller.link.peer(), why.message()));
  if (!caller.refused) end_link(caller.link);
}

void Reception::end_all() {
  for (Caller& caller : callers_) {
    if (caller.refused) caller.link.close(static_cast<int>(caller.until.remaining().count()));
    end_link(caller.link);
  }
  callers_.clear();
}

}  // namespace hawser::node
