#include "fault_rules.h"

#include <charconv>
#include <limits>
#include <optional>

namespace emu {
namespace {

struct Name {
  std::string_view text;
  int target;
};

constexpr Name kTargets[] = {
    {"init", HAWSER_EMU_INIT},
    {"devices", HAWSER_EMU_DEVICES},
    {"getProperties", HAWSER_EMU_GET_PROPERTIES},
    {"listen", HAWSER_EMU_LISTEN},
    {"connect", HAWSER_EMU_CONNECT},
    {"accept", HAWSER_EMU_ACCEPT},
    {"regMr", HAWSER_EMU_REG_MR},
    {"deregMr", HAWSER_EMU_DEREG_MR},
    {"isend", HAWSER_EMU_ISEND},
    {"irecv", HAWSER_EMU_IRECV},
    {"test", HAWSER_EMU_TEST},
    {"closeSend", HAWSER_EMU_CLOSE_SEND},
    {"closeRecv", HAWSER_EMU_CLOSE_RECV},
    {"closeListen", HAWSER_EMU_CLOSE_LISTEN},
    {"getDeviceMr", HAWSER_EMU_GET_DEVICE_MR},
    {"irecvConsumed", HAWSER_EMU_IRECV_CONSUMED},
    {"payload", kTargetPayload},
    {"peer", kTargetPeer},
    {"devmem", kTargetDevmem},
    {"rule", kTargetRule},
    {"pool", kTargetPool},
    {"fragments", kTargetFragments},
    {"worker", kTargetWorker},
};

enum class Argument { none, number, optional_number, text };

struct Verb {
  std::string_view text;
  Action action;
  Argument argument;
  std::int64_t max;
  std::int64_t min = 0;
};

constexpr std::int64_t kDayMs = 24 * 3600 * 1000;
constexpr Verb kVerbs[] = {
    {"fail", Action::fail, Argument::number, 7, 1},
    {"delay", Action::delay, Argument::number, kDayMs},
    {"never", Action::never, Argument::none, 0},
    {"stall", Action::never, Argument::none, 0},  // the same thing, said of test
    {"hang", Action::hang, Argument::none, 0},
    {"exit", Action::exit, Argument::number, 255},
    {"abort", Action::abort, Argument::none, 0},
    {"segv", Action::segv, Argument::none, 0},
    {"print", Action::print, Argument::text, 0},
    {"corrupt", Action::corrupt, Argument::number, std::numeric_limits<std::int64_t>::max()},
    {"die", Action::die, Argument::optional_number, std::numeric_limits<std::int64_t>::max()},
    {"conflict", Action::conflict, Argument::none, 0},
    {"none", Action::none, Argument::none, 0},
};

// Calls that have a way to say "not yet".
bool can_wait(int target) {
  return target == HAWSER_EMU_CONNECT || target == HAWSER_EMU_ACCEPT ||
         target == HAWSER_EMU_ISEND || target == HAWSER_EMU_IRECV || target == HAWSER_EMU_TEST ||
         target == kTargetRule;
}

// What is no call has one action, which nothing else has.
struct Only {
  int target;
  Action action;
};
constexpr Only kOnly[] = {{kTargetPayload, Action::corrupt},
                          {kTargetPeer, Action::die},
                          {kTargetDevmem, Action::conflict},
                          {kTargetFragments, Action::none}};

bool ends_process(Action action) {
  return action == Action::exit || action == Action::abort || action == Action::segv;
}

bool makes_sense(int target, Action action) {
  for (const Only& only : kOnly)
    if (target == only.target || action == only.action)
      return target == only.target && action == only.action;
  if (target == kTargetWorker) return ends_process(action);
  return action != Action::never || can_wait(target);
}

bool has_side(int target) {
  return target != HAWSER_EMU_INIT && target != HAWSER_EMU_DEVICES &&
         target != HAWSER_EMU_GET_PROPERTIES;
}

bool has_channel(int target) {
  return has_side(target) && target != kTargetDevmem;
}

std::optional<std::int64_t> whole_number(std::string_view text, std::int64_t max,
                                         std::int64_t min = 0) {
  std::int64_t value = 0;
  const auto [stop, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  if (value < min || value > max) return std::nullopt;
  return value;
}

const Name* find_target(std::string_view text) {
  for (const Name& name : kTargets)
    if (name.text == text) return &name;
  return nullptr;
}

const Verb* find_verb(std::string_view text) {
  for (const Verb& verb : kVerbs)
    if (verb.text == text) return &verb;
  return nullptr;
}

bool strip_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// "server:accept@2" → side, target, channel.
std::string parse_where(std::string_view where, FaultRule& rule) {
  if (strip_prefix(where, "server:"))
    rule.side = Side::server;
  else if (strip_prefix(where, "client:"))
    rule.side = Side::client;
  const auto at = where.find('@');
  const Name* target = find_target(where.substr(0, at));
  if (target == nullptr) return "unknown call \"" + std::string(where.substr(0, at)) + "\"";
  rule.target = target->target;
  if (rule.side != Side::any && !has_side(rule.target))
    return std::string(target->text) + " has no side";
  if (at == std::string_view::npos) return "";
  const std::string_view channel = where.substr(at + 1);
  if (channel == "*") return "";
  if (!has_channel(rule.target)) return std::string(target->text) + " has no channel";
  const auto number = whole_number(channel, 65535);
  if (!number) return "want a channel number or * after @, not \"" + std::string(channel) + "\"";
  rule.channel = static_cast<int>(*number);
  return "";
}

// "fail:3" → action and its argument.
std::string parse_what(std::string_view what, FaultRule& rule) {
  const auto colon = what.find(':');
  const std::string name(what.substr(0, colon));
  const Verb* verb = find_verb(name);
  if (verb == nullptr) return "unknown action \"" + name + "\"";
  rule.action = verb->action;
  const bool given = colon != std::string_view::npos;
  const std::string_view argument = given ? what.substr(colon + 1) : std::string_view();
  if (verb->argument == Argument::none) return given ? name + " takes nothing after it" : "";
  if (verb->argument == Argument::text) {
    rule.text = argument;
    return argument.empty() ? name + " wants a text" : "";
  }
  if (verb->argument == Argument::optional_number && !given) return "";
  const auto number = whole_number(argument, verb->max, verb->min);
  if (!number)
    return name + " wants a whole number from " + std::to_string(verb->min) + " to " +
           std::to_string(verb->max);
  rule.number = *number;
  return "";
}

std::string parse_rule(std::string_view text, FaultRule& rule) {
  const auto equals = text.find('=');
  if (equals == std::string_view::npos) return "no \"=\"";
  if (std::string problem = parse_where(text.substr(0, equals), rule); !problem.empty())
    return problem;
  if (std::string problem = parse_what(text.substr(equals + 1), rule); !problem.empty())
    return problem;
  return makes_sense(rule.target, rule.action) ? "" : "that action does not go with that call";
}

}  // namespace

bool FaultRule::concerns(int wanted_target, Side wanted_side, int wanted_channel) const {
  if (target != wanted_target) return false;
  if (side != Side::any && side != wanted_side) return false;
  return channel == kAnyChannel || channel == wanted_channel;
}

std::string parse_fault_rules(std::string_view text, std::vector<FaultRule>& rules) {
  while (!text.empty()) {
    const auto semicolon = text.find(';');
    const std::string_view part = text.substr(0, semicolon);
    text = semicolon == std::string_view::npos ? std::string_view() : text.substr(semicolon + 1);
    if (part.empty()) continue;
    FaultRule rule;
    if (const std::string problem = parse_rule(part, rule); !problem.empty())
      return "HAWSER_EMU_FAULTS: \"" + std::string(part) + "\": " + problem;
    if (rules.size() == kMaxFaultRules) return "HAWSER_EMU_FAULTS: more than 64 rules";
    rules.push_back(std::move(rule));
  }
  return "";
}

}  // namespace emu
