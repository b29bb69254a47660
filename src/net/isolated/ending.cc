#include "net/isolated/ending.h"

#include <fmt/core.h>
#include <string.h>

#include <algorithm>
#include <cctype>

namespace hawser::isolate {
namespace {

constexpr std::size_t kMostCalls = 4;  // that are told of, where it is not known which one it was
constexpr std::size_t kMaxWordsBytes = 200;
constexpr const char* kAdvice =
    "it ran in a process of its own, and this one goes on: open the transport again";

std::string signal_name(int signal) {
  const char* const name = ::sigabbrev_np(signal);
  return name != nullptr ? fmt::format("SIG{}", name) : fmt::format("signal {}", signal);
}

std::string place_of(const CurrentCall& call) {
  return fmt::format("{}{}{}", call.detail, call.label.empty() ? "" : " for ", call.label);
}

// What the process has written down itself, which no other part of the program can take away.
std::string own_words(Ending how, int value) {
  if (how == Ending::exits) return fmt::format("called exit({})", value);
  return fmt::format("died of {}", signal_name(value));
}

std::string kernel_words(const ChildEnd& end) {
  if (end.signal) return fmt::format("was killed by {}", signal_name(*end.signal));
  if (end.exit_status) return fmt::format("ended with exit status {}", *end.exit_status);
  return "ended, and another part of this program has taken note how";
}

std::string calls_text(const std::vector<CurrentCall>& calls) {
  if (calls.empty()) return ", with no call of hawser's in progress";
  std::string text;
  for (std::size_t i = 0; i < std::min(calls.size(), kMostCalls); ++i)
    text += (i == 0 ? "; in progress was " : ", ") + place_of(calls[i]);
  if (calls.size() > kMostCalls) text += fmt::format(", and {} more", calls.size() - kMostCalls);
  return text;
}

// Printable, whatever the plugin has put there.
std::string ending_thread_name(const ControlFields& fields) {
  std::string name;
  for (const auto& place : fields.ending_thread_name) {
    const char c = place.load(std::memory_order_relaxed);
    if (c == '\0') break;
    name += std::isprint(static_cast<unsigned char>(c)) != 0 ? c : '?';
  }
  return name;
}

std::string said_text(const std::vector<std::string>& last_words) {
  std::string text;
  for (const std::string& words : last_words)
    text += fmt::format("{}\"{}\"", text.empty() ? "; its last words were " : ", ",
                        words.substr(0, kMaxWordsBytes));
  return text;
}

}  // namespace

Error describe_ending(ControlMemory& control, const ChildEnd& end, const std::string& name,
                      const std::vector<std::string>& last_words) {
  const auto calls = control.journal().current_calls();
  const std::string plugin = calls.empty() ? name : calls.front().plugin;
  const std::string said = said_text(last_words);
  const ControlFields& fields = control.fields();
  const Ending how = fields.ending.load(std::memory_order_acquire);
  if (how == Ending::none)
    return Error(Code::plugin, fmt::format("the process of plugin {} {}{}{}: {}", plugin,
                                           kernel_words(end), calls_text(calls), said, kAdvice));
  const std::string words = own_words(how, fields.ending_value.load(std::memory_order_relaxed));
  const auto culprit = control.call_of_thread(fields.ending_thread.load(std::memory_order_relaxed));
  const std::string where = culprit ? " in " + place_of(*culprit)
                                    : fmt::format(" in a thread of its own ({}){}",
                                                  ending_thread_name(fields), calls_text(calls));
  return Error(Code::plugin,
               fmt::format("the plugin {} {}{}{}: {}", plugin, words, where, said, kAdvice));
}

Error describe_stuck(const CurrentCall& call) {
  return Error(Code::timeout,
               fmt::format("the plugin {} is stuck in {}, since {:.1f} s", call.plugin,
                           place_of(call), static_cast<double>(call.milliseconds) / 1000));
}

}  // namespace hawser::isolate
