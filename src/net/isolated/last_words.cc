#include "net/isolated/last_words.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <tuple>

#include "net/hosted/plugin_log.h"

namespace hawser::isolate {
namespace {

// Signal handlers and exit handlers take no argument of ours.
std::atomic<ControlFields*> last_words{nullptr};

void note_thread_name(ControlFields& fields) {
  std::array<char, std::tuple_size_v<decltype(ControlFields::ending_thread_name)>> name{};
  ::prctl(PR_GET_NAME, name.data());
  for (std::size_t i = 0; i < name.size(); ++i)
    fields.ending_thread_name[i].store(name[i], std::memory_order_relaxed);
}

// Async-signal-safe. The first one counts: an abort() may be what an exit() ends in.
void note_ending(Ending how, int value) {
  ControlFields* const fields = last_words.load(std::memory_order_acquire);
  if (fields == nullptr || fields->ending_taken.exchange(1) != 0) return;
  fields->ending_value.store(value, std::memory_order_relaxed);
  fields->ending_thread.store(static_cast<int>(::gettid()), std::memory_order_relaxed);
  note_thread_name(*fields);
  fields->ending.store(how, std::memory_order_release);
}

void on_exit_status(int status, void*) {
  note_ending(Ending::exits, status);
}

// SA_RESETHAND has put back what the signal does by itself: it is done when this returns.
void on_deadly_signal(int signal) {
  note_ending(Ending::signal, signal);
  write_untold_plugin_lines(STDERR_FILENO);
  ::raise(signal);
}

}  // namespace

void leave_last_words(ControlFields& fields) {
  last_words.store(&fields, std::memory_order_release);
  struct sigaction action {};
  action.sa_handler = &on_deadly_signal;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP})
    ::sigaction(signal, &action, nullptr);
  leave_last_words_before_others();
}

void leave_last_words_before_others() {
  ::on_exit(&on_exit_status, nullptr);
}

}  // namespace hawser::isolate
