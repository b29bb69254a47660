#include "net/hosted/call_journal.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <mutex>

#include "base/signal_text.h"
#include "net/hosted/exit_explainer.h"

namespace hawser {
namespace {

void add_arguments(SignalText& text, const CallNote& note) {
  if (note.has_memory) {
    text.text("pointer=0x").number(reinterpret_cast<std::uintptr_t>(note.pointer), 16);
    text.text(", bytes=").number(note.bytes);
  }
  if (note.has_kind) text.text(note.kind == MemoryKind::cuda ? ", kind=cuda" : ", kind=host");
}

int this_thread() {
  thread_local const int id = static_cast<int>(::gettid());
  return id;
}

// What CallLabel sets: the calling thread's own.
using Label = std::array<char, CallLabel::kMaxBytes + 1>;
Label& this_label() {
  thread_local Label label{};
  return label;
}

std::int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);  // async-signal-safe
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

// Of a time that may be anything: another process may have written it.
std::int64_t milliseconds_since(std::int64_t then_ns) {
  const std::int64_t now = now_ns();
  return then_ns < 0 || then_ns > now ? 0 : (now - then_ns) / 1'000'000;
}

constexpr std::size_t kLineBytes = 320;

}  // namespace

std::size_t format_call(const CallNote& note, char* to, std::size_t room) {
  if (room == 0) return 0;
  SignalText text(to, room);
  text.text(note.entry).text("(");
  add_arguments(text, note);
  text.text(")");
  if (note.device >= 0) text.text(" on device ").number(static_cast<std::uint64_t>(note.device));
  return text.length();
}

std::string call_text(const CallNote& note) {
  char line[kLineBytes];
  return std::string(line, format_call(note, line, sizeof line));
}

std::string describe(const CurrentCall& call) {
  return fmt::format("stuck in {}{}{} of plugin {}, for {:.1f} s", call.detail,
                     call.label.empty() ? "" : " for ", call.label, call.plugin,
                     static_cast<double>(call.milliseconds) / 1000);
}

std::string current_call_label() {
  return this_label().data();
}

CallLabel::CallLabel(const char* label) : previous_(this_label()) {
  Label& mine = this_label();
  mine.fill('\0');
  std::memcpy(mine.data(), label, strnlen(label, kMaxBytes));
}

CallLabel::~CallLabel() {
  this_label() = previous_;
}

// A seqlock: `version` is odd while a call is in progress. A reader copies the fields and
// believes them when the version was odd and is the same before and after. Fields are stored with
// release, so that who sees one of the next call also sees that this one has ended.
struct CallJournal::Slot {
  std::atomic<bool> taken{false};         // who sets it owns the slot
  std::atomic<std::uint64_t> version{0};  // publishes the fields below
  std::atomic<std::uint32_t> plugin{0};   // its place among the names
  std::array<std::atomic<std::uint64_t>, 2> entry{};
  std::atomic<int> device{0};
  std::atomic<std::uint64_t> pointer{0};
  std::atomic<std::uint64_t> bytes{0};
  std::atomic<unsigned> flags{0};
  std::atomic<int> thread{0};
  std::atomic<std::int64_t> since_ns{0};
  std::array<std::atomic<std::uint64_t>, sizeof(Label) / sizeof(std::uint64_t)> label{};
};

// Nothing in it is wrong when it is all zero.
struct CallJournal::Memory {
  static constexpr std::size_t kNameBytes = 64;
  // A name is whole before a slot refers to it, and stays.
  std::array<std::array<char, kNameBytes>, kMaxNames> names{};
  std::array<Slot, kMaxCalls> slots{};
};

struct CallJournal::Reading {
  char plugin[Memory::kNameBytes];
  char entry[sizeof(Slot::entry) + 1];
  CallNote note;  // `entry` is the one above
  int thread;
  std::int64_t milliseconds;
  Label label;
};

namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr auto kRelease = std::memory_order_release;
enum Flags : unsigned { kHasMemory = 1, kHasKind = 2, kIsCuda = 4 };

unsigned flags_of(const CallNote& note) {
  return (note.has_memory ? kHasMemory : 0u) | (note.has_kind ? kHasKind : 0u) |
         (note.kind == MemoryKind::cuda ? kIsCuda : 0u);
}

// Texts as words that are stored one by one: a reader may see parts of two, and then sees that by
// the version.
template <std::size_t kWords>
void store_text(std::array<std::atomic<std::uint64_t>, kWords>& to, const char* from) {
  std::uint64_t words[kWords] = {};
  std::memcpy(words, from, strnlen(from, sizeof words));
  for (std::size_t i = 0; i < kWords; ++i) to[i].store(words[i], kRelease);
}

// Without a zero byte behind it.
template <std::size_t kWords>
void load_text(const std::array<std::atomic<std::uint64_t>, kWords>& from, char* to) {
  for (std::size_t i = 0; i < kWords; ++i) {
    const std::uint64_t word = from[i].load(std::memory_order_acquire);
    std::memcpy(to + i * sizeof word, &word, sizeof word);
  }
}

void set_flags(CallNote& note, unsigned flags) {
  note.has_memory = (flags & kHasMemory) != 0;
  note.has_kind = (flags & kHasKind) != 0;
  note.kind = (flags & kIsCuda) != 0 ? MemoryKind::cuda : MemoryKind::host;
}

}  // namespace

CallJournal::CallJournal() : own_(std::make_unique<Memory>()), memory_(own_.get()) {}
CallJournal::CallJournal(void* memory) : memory_(static_cast<Memory*>(memory)) {}
CallJournal::~CallJournal() {
  exit_explainer::remove(this);
}

void CallJournal::explain_exits() {
  exit_explainer::add(this);
}

std::size_t CallJournal::memory_bytes() {
  return sizeof(Memory);
}

std::size_t CallJournal::take_slot() {
  const auto first = static_cast<std::size_t>(this_thread());
  for (std::size_t i = 0; i < kMaxCalls; ++i) {
    const std::size_t slot = (first + i) % kMaxCalls;
    if (!memory_->slots[slot].taken.load(kRelaxed) &&
        !memory_->slots[slot].taken.exchange(true, std::memory_order_acquire))
      return slot;
  }
  unnoted_.fetch_add(1, kRelaxed);
  return kMaxCalls;
}

std::uint32_t CallJournal::name_index(const char* plugin) {
  for (std::uint32_t i = 0; i < kMaxNames - 1; ++i) {
    const char* const known = names_[i].load(std::memory_order_acquire);
    if (known == plugin) return i;
    if (known == nullptr) return add_name(plugin);
  }
  return names_.back().load(std::memory_order_acquire) ? kMaxNames - 1 : add_name(plugin);
}

std::uint32_t CallJournal::add_name(const char* plugin) {
  const std::lock_guard lock(mutex_);
  for (std::uint32_t i = 0; i < kMaxNames; ++i) {
    const char* const known = names_[i].load(kRelaxed);
    if (known == plugin) return i;
    if (known != nullptr) continue;
    const bool last = i == kMaxNames - 1;
    auto& name = memory_->names[i];
    const char* const text = last ? "(one of many)" : plugin;
    std::memcpy(name.data(), text, strnlen(text, name.size() - 1));
    names_[i].store(text, kRelease);
    return i;
  }
  return kMaxNames - 1;
}

std::size_t CallJournal::begin(const char* plugin, const CallNote& note) {
  const std::size_t index = take_slot();
  if (index == kMaxCalls) return index;
  Slot& slot = memory_->slots[index];
  slot.plugin.store(name_index(plugin), kRelease);
  store_text(slot.entry, note.entry);
  slot.device.store(note.device, kRelease);
  slot.pointer.store(reinterpret_cast<std::uintptr_t>(note.pointer), kRelease);
  slot.bytes.store(note.bytes, kRelease);
  slot.flags.store(flags_of(note), kRelease);
  slot.thread.store(this_thread(), kRelease);
  slot.since_ns.store(now_ns(), kRelease);
  store_text(slot.label, this_label().data());
  slot.version.fetch_add(1, std::memory_order_release);
  return index;
}

void CallJournal::end(std::size_t index) {
  if (index == kMaxCalls) return;
  memory_->slots[index].version.fetch_add(1, kRelease);
  memory_->slots[index].taken.store(false, std::memory_order_release);
}

bool CallJournal::read(const Slot& slot, Reading& reading) const {
  const std::uint64_t before = slot.version.load(std::memory_order_acquire);
  if (before % 2 == 0) return false;
  const auto& name =
      memory_->names[slot.plugin.load(std::memory_order_acquire) % memory_->names.size()];
  std::memcpy(reading.plugin, name.data(), name.size());
  reading.plugin[name.size() - 1] = '\0';
  load_text(slot.entry, reading.entry);
  reading.entry[sizeof reading.entry - 1] = '\0';
  reading.note.entry = reading.entry;
  reading.note.device = slot.device.load(std::memory_order_acquire);
  reading.note.pointer =
      reinterpret_cast<const void*>(slot.pointer.load(std::memory_order_acquire));
  reading.note.bytes = slot.bytes.load(std::memory_order_acquire);
  set_flags(reading.note, slot.flags.load(std::memory_order_acquire));
  reading.thread = slot.thread.load(std::memory_order_acquire);
  reading.milliseconds = milliseconds_since(slot.since_ns.load(std::memory_order_acquire));
  load_text(slot.label, reading.label.data());
  reading.label.back() = '\0';
  return slot.version.load(std::memory_order_acquire) == before;
}

std::vector<CurrentCall> CallJournal::current_calls() const {
  std::vector<CurrentCall> calls;
  add_own_calls(calls);
  const std::lock_guard lock(mutex_);
  for (const auto& included : included_)
    if (const auto other = included.lock()) other->add_own_calls(calls);
  return calls;
}

void CallJournal::include(std::weak_ptr<const CallJournal> other) {
  const std::lock_guard lock(mutex_);
  std::erase_if(included_, [](const auto& known) { return known.expired(); });
  included_.push_back(std::move(other));
}

void CallJournal::add_own_calls(std::vector<CurrentCall>& calls) const {
  for (std::size_t i = 0; i < kMaxCalls; ++i) {
    Reading reading;
    if (!read(memory_->slots[i], reading)) continue;
    calls.push_back({reading.plugin, reading.note.entry, call_text(reading.note),
                     reading.label.data(), reading.thread, reading.milliseconds});
  }
}

void CallJournal::write_current_calls(int fd) const {
  for (std::size_t i = 0; i < kMaxCalls; ++i) {
    Reading reading;
    if (!read(memory_->slots[i], reading)) continue;
    char detail[kLineBytes];
    format_call(reading.note, detail, sizeof detail);
    write_line(fd, reading, " is in ", detail);
  }
}

bool CallJournal::busy() const {
  return std::any_of(memory_->slots.begin(), memory_->slots.end(), [](const Slot& slot) {
    return slot.version.load(std::memory_order_acquire) % 2 == 1;
  });
}

std::string CallJournal::plugin_called_by_this_thread() const {
  for (const Slot& slot : memory_->slots) {
    Reading reading;
    if (read(slot, reading) && reading.thread == this_thread()) return reading.plugin;
  }
  return "";
}

// Only a call of the very thread that exits proves who did it.
void CallJournal::write_calls_at_exit(int fd) const {
  for (std::size_t i = 0; i < kMaxCalls; ++i) {
    Reading reading;
    if (!read(memory_->slots[i], reading)) continue;
    char detail[kLineBytes];
    format_call(reading.note, detail, sizeof detail);
    const bool by_this_thread = reading.thread == this_thread();
    write_line(fd, reading,
               by_this_thread ? " called exit() inside " : " was, in another thread, inside ",
               detail);
  }
}

void CallJournal::write_line(int fd, const Reading& reading, const char* doing,
                             const char* detail) {
  char line[2 * kLineBytes];
  std::size_t length = 0;
  {
    SignalText text(line, sizeof line);
    text.text("hawser: plugin ").text(reading.plugin).text(doing).text(detail);
    if (reading.label[0] != '\0') text.text(" for ").text(reading.label.data());
    text.text(", after ").number(static_cast<std::uint64_t>(reading.milliseconds)).text(" ms\n");
    length = text.length();
  }
  write_fully(fd, line, length);
}

}  // namespace hawser
