#include "net/hosted/exit_explainer.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <fmt/core.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <optional>

#include "base/signal_text.h"
#include "net/hosted/call_journal.h"
#include "net/hosted/plugin_log.h"

namespace hawser {
namespace {

constexpr int kMaxFrames = 64;
constexpr std::size_t kLastTexts = 3;

struct ExplainedPlugin {
  std::atomic<const char*> name{nullptr};  // publishes `library`
  const void* library = nullptr;           // where it is mapped
};

// Whose thread it was that called exit(), as far as can be known.
struct Ender {
  enum Who { in_call, by_plugin, by_program, unknown } who = unknown;
  std::vector<std::string> plugins;  // the one, or all that it may be
};

struct Explained {
  std::mutex mutex;  // guards adding
  std::array<std::atomic<const CallJournal*>, exit_explainer::kMaxJournals> journals{};
  std::array<ExplainedPlugin, exit_explainer::kMaxPlugins> plugins{};
  std::atomic<bool> isolated{false};
  std::optional<Ender> ender;  // of the thread that exits
};

Explained& explained() {
  static auto* const all = new Explained;  // never destroyed: it is for the very end
  return *all;
}

const void* library_of(const void* address) {
  Dl_info info{};
  return ::dladdr(address, &info) != 0 ? info.dli_fbase : nullptr;
}

// A plugin whose code is in the program, or in this library, is not to be told from them.
bool is_ours(const void* library) {
  const auto* const program =
      reinterpret_cast<const void*>(::getauxval(AT_ENTRY));  // NOLINT(performance-no-int-to-ptr)
  return library == library_of(program) ||
         library == library_of(reinterpret_cast<const void*>(&library_of));
}

void write_text(const std::string& line) {
  const std::string whole = "hawser: " + line + "\n";
  write_fully(STDERR_FILENO, whole.data(), whole.size());
}

const char* plugin_of_library(const void* library) {
  if (library == nullptr) return nullptr;
  for (ExplainedPlugin& plugin : explained().plugins) {
    const char* const name = plugin.name.load(std::memory_order_acquire);
    if (name == nullptr) return nullptr;
    if (plugin.library == library) return name;
  }
  return nullptr;
}

// Return addresses, so the call itself is before them: a call that never returns may be the last
// thing in its function.
const char* plugin_on_this_stack() {
  std::array<void*, kMaxFrames> frames{};
  const int depth = ::backtrace(frames.data(), kMaxFrames);
  for (int i = 0; i < depth; ++i) {
    const char* const call = static_cast<const char*>(frames[static_cast<std::size_t>(i)]) - 1;
    if (const char* const plugin = plugin_of_library(library_of(call))) return plugin;
  }
  return nullptr;
}

bool is_main_thread() {
  return ::gettid() == ::getpid();
}

template <class Visit>
void for_each_journal(Visit visit) {
  for (auto& place : explained().journals)
    if (const CallJournal* const journal = place.load(std::memory_order_acquire)) visit(*journal);
}

bool calls_in_progress() {
  bool any = false;
  for_each_journal([&](const CallJournal& journal) { any = any || journal.busy(); });
  return any;
}

std::vector<std::string> hosted_plugins() {
  std::vector<std::string> names;
  for (ExplainedPlugin& plugin : explained().plugins) {
    const char* const name = plugin.name.load(std::memory_order_acquire);
    if (name == nullptr) break;
    if (std::find(names.begin(), names.end(), name) == names.end()) names.emplace_back(name);
  }
  return names;
}

Ender find_ender() {
  std::string caller;
  for_each_journal([&](const CallJournal& journal) {
    if (caller.empty()) caller = journal.plugin_called_by_this_thread();
  });
  if (!caller.empty()) return {Ender::in_call, {caller}};
  if (const char* const plugin = plugin_on_this_stack()) return {Ender::by_plugin, {plugin}};
  std::vector<std::string> hosted = hosted_plugins();
  if (hosted.empty() || is_main_thread()) return {Ender::by_program, {}};
  return {Ender::unknown, std::move(hosted)};
}

std::string this_thread_text() {
  char name[16] = {};
  ::pthread_getname_np(::pthread_self(), name, sizeof name);
  return is_main_thread() ? "the main thread" : fmt::format("thread {} ({})", name, ::gettid());
}

std::string names_of(const Ender& ender) {
  std::string names;
  for (const std::string& plugin : ender.plugins) names += (names.empty() ? "" : " or ") + plugin;
  return names;
}

std::string head_line(const Ender& ender, int status) {
  const std::string thread = this_thread_text();
  switch (ender.who) {
    case Ender::in_call:
      break;  // the journal's line says it
    case Ender::by_plugin:
      return fmt::format("plugin {} called exit({}) in {}, with no call of hawser's in progress {}",
                         names_of(ender), status, thread,
                         is_main_thread() ? "there" : "there: a thread of its own");
    case Ender::by_program:
      return fmt::format("this program called exit({}) in {}, and no plugin did", status, thread);
    case Ender::unknown:
      return fmt::format(
          "exit({}) was called in {}, with no call of hawser's in progress there: a "
          "thread of this program's, or of plugin {}'s own",
          status, thread, names_of(ender));
  }
  return "";
}

void write_last_words(const std::string& plugin) {
  const auto texts = plugin_log(plugin.c_str()).limiter->last_texts(kLastTexts);
  for (const std::string& text : texts)
    write_text(fmt::format("the last words of plugin {} in the log: {}", plugin, text));
  if (texts.empty()) write_text(fmt::format("plugin {} has logged no warning", plugin));
}

void write_advice(const std::string& plugin) {
  write_text("what it printed itself stands above, on stderr");
  for (const std::string& line : exit_advice(plugin)) write_text(line);
  if (!explained().isolated.load(std::memory_order_relaxed))
    write_text(
        "with --isolate (HAWSER_ISOLATE=1) a plugin has a process of its own, and its end is "
        "an error that this one survives");
}

// In the thread that called exit(), while all others go on.
void explain(int status, void*) {
  flush_plugin_logs();
  const Ender ender = find_ender();
  if (ender.plugins.empty() && !calls_in_progress()) return;
  const std::string head = head_line(ender, status);
  if (!head.empty()) write_text(head);
  for_each_journal([](const CallJournal& journal) { journal.write_calls_at_exit(STDERR_FILENO); });
  for (const std::string& plugin : ender.plugins) write_last_words(plugin);
  if (ender.plugins.empty()) return;
  write_advice(ender.plugins.front());
  explained().ender = ender;
}

// A plugin is never unloaded, and its threads call this library's log function: so this library may
// not be either. on_exit() knows nothing of libraries that go.
void keep_this_library() {
  Dl_info info{};
  if (::dladdr(reinterpret_cast<const void*>(&library_of), &info) != 0)
    (void)::dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}

void explain_from_now_on() {
  static std::once_flag once;
  std::call_once(once, [] {
    keep_this_library();
    (void)::on_exit(&explain, nullptr);
  });
}

}  // namespace

namespace exit_explainer {

void add(const CallJournal* journal) {
  explain_from_now_on();
  const std::lock_guard lock(explained().mutex);
  for (auto& place : explained().journals)
    if (place.load(std::memory_order_relaxed) == journal) return;
  for (auto& place : explained().journals) {
    if (place.load(std::memory_order_relaxed) != nullptr) continue;
    place.store(journal, std::memory_order_release);
    return;
  }
}

void remove(const CallJournal* journal) {
  const std::lock_guard lock(explained().mutex);
  for (auto& place : explained().journals)
    if (place.load(std::memory_order_relaxed) == journal) place.store(nullptr);
}

void add_plugin(const char* name, const void* address) {
  explain_from_now_on();
  const void* const library = library_of(address);
  if (library == nullptr || is_ours(library)) return;
  const std::lock_guard lock(explained().mutex);
  for (ExplainedPlugin& plugin : explained().plugins) {
    const char* const known = plugin.name.load(std::memory_order_relaxed);
    if (known == name && plugin.library == library) return;
    if (known != nullptr) continue;
    plugin.library = library;
    plugin.name.store(name, std::memory_order_release);
    return;
  }
}

void set_isolated() {
  explained().isolated.store(true);
}

}  // namespace exit_explainer

std::string exit_cause() {
  const std::optional<Ender>& ender = explained().ender;
  if (!ender) return "";
  const char* const how = ender->who == Ender::in_call     ? "exit in a call of hawser's"
                          : ender->who == Ender::by_plugin ? "exit by its own thread"
                                                           : "or another thread of this program";
  return fmt::format("the plugin {} ({})", names_of(*ender), how);
}

}  // namespace hawser
