#include "net/hosted/hosted_comm.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <limits>
#include <string_view>

#include "base/parameters.h"
#include "net/hosted/whole_pages.h"

namespace hawser {
namespace {

// What a plugin that does not tell sizes leaves in place.
constexpr int kSizeNotTold = std::numeric_limits<int>::min();

// "0000:06:00.0", behind the last slash: what TCPX reads from a NIC's path, without looking.
bool ends_in_pci_address(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return false;
  constexpr std::string_view pattern = "xxxx:xx:xx.x";
  const std::string_view address = std::string_view(path).substr(slash + 1);
  if (address.size() != pattern.size()) return false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const bool fits = pattern[i] == 'x' ? std::isxdigit(static_cast<unsigned char>(address[i])) != 0
                                        : pattern[i] == address[i];
    if (!fits) return false;
  }
  return true;
}

int abi_kind(MemoryKind kind) {
  return kind == MemoryKind::cuda ? abi::kCudaPointer : abi::kHostPointer;
}

CallNote registration_note(int device, const MemoryRange& range) {
  CallNote note;
  note.entry = "regMr";
  note.device = device;
  note.pointer = range.data;
  note.bytes = range.bytes;
  note.has_memory = note.has_kind = true;
  note.kind = range.kind;
  return note;
}

void log_close_failure(const Status& closed) {
  if (!closed.ok()) log_warning("{}", closed.error().message());
}

}  // namespace

HostedCommCore::HostedCommCore(HostedPlace place, void* comm)
    : place_(std::move(place)),
      comm_(comm),
      window_(place_.device.capabilities.max_requests),
      registrations_(place_.device.registrations ? *place_.device.registrations
                                                 : own_registrations_) {}

CallNote HostedCommCore::note(const char* entry, const HostedRequest& request) const {
  CallNote made = note(entry);
  made.pointer = request.data;
  made.bytes = request.bytes;
  made.has_memory = true;
  return made;
}

Error HostedCommCore::fail(Error error) {
  if (!failure_) failure_ = error;
  return error;
}

Result<MemoryRange> HostedCommCore::registrable_of_gpu(const MemoryRange& range) const {
  const bool dma_buf_only = (device().properties.pointer_support & abi::kDmaBufPointer) != 0;
  if (!device().capabilities.cuda_pointers) {
    return Error(Code::unavailable,
                 fmt::format("{}: device {} takes CUDA memory {}: use host memory", plugin().name(),
                             device().index,
                             dma_buf_only ? "only as a dma-buf, which is not exported yet"
                                          : "neither by pointer nor as a dma-buf"));
  }
  if (device().devmem == Devmem::real && !ends_in_pci_address(device().properties.pci_path)) {
    return Error(Code::unavailable,
                 fmt::format("{}: device {} ({}) has no PCI address (path '{}'), and the plugin "
                             "registers GPU memory by it: choose a physical NIC",
                             plugin().name(), device().index, device().properties.name,
                             device().properties.pci_path));
  }
  if (!device().capabilities.registers_whole_pages) return range;
  auto pages = whole_pages(range, place_.gpu.get());
  if (pages.ok()) return pages;
  return Error(
      pages.error().code(),
      fmt::format("{}: {}: {}", plugin().name(),
                  call_text(registration_note(device().index, range)), pages.error().message()));
}

// What to register for it, which may be more.
Result<MemoryRange> HostedCommCore::registrable(const MemoryRange& range) const {
  const auto text = [&] { return call_text(registration_note(device().index, range)); };
  if (range.data == nullptr || range.bytes == 0)
    return Error(Code::invalid_argument,
                 fmt::format("{}: {}: nothing to register", plugin().name(), text()));
  if (range.bytes > device().max_registration_bytes) {
    return Error(Code::invalid_argument,
                 fmt::format("{}: {}: a v{} plugin registers at most {} bytes at once: register in "
                             "pieces",
                             plugin().name(), text(), plugin().api().traits().version,
                             device().max_registration_bytes));
  }
  if (range.kind == MemoryKind::cuda) return registrable_of_gpu(range);
  if (!device().capabilities.host_pointers)
    return Error(Code::unavailable, fmt::format("{}: device {} takes no host memory",
                                                plugin().name(), device().index));
  return range;
}

Result<Registration*> HostedCommCore::register_memory(const MemoryRange& wanted) {
  HAWSER_ASSIGN(const MemoryRange range, registrable(wanted));
  HostedRegistration made;
  made.range = range;
  HAWSER_TRY(place_.call(registration_note(device().index, range), [&] {
    return plugin().api().register_memory(comm_, range.data, range.bytes, abi_kind(range.kind),
                                          &made.memory_handle);
  }));
  return registrations_.add(made);
}

Status HostedCommCore::deregister(Registration* registration) {
  const auto owned = registrations_.take(registration);
  if (owned == nullptr) {
    return Error(Code::internal,
                 fmt::format("{}: deregister() of a registration that is not, or no longer, one of "
                             "this {}",
                             plugin().name(), device().registrations ? "device" : "comm"));
  }
  CallNote note = registration_note(device().index, owned->range);
  note.entry = "deregMr";
  return place_.call(note, [&] { return plugin().api().deregister(comm_, owned->memory_handle); });
}

Status HostedCommCore::check_post(const char* entry, const void* data, std::size_t bytes,
                                  const HostedRegistration* registration) const {
  if (failure_) return *failure_;
  if (window_.full()) {
    return Error(Code::internal,
                 fmt::format("{}: {} with {} requests in flight on this comm of device {}, "
                             "the most there may be",
                             plugin().name(), entry, window_.unreleased(), device().index));
  }
  if (bytes > device().capabilities.max_request_bytes) {
    return Error(Code::invalid_argument,
                 fmt::format("{}: {} of {} bytes, more than the {} of one request on device {}",
                             plugin().name(), entry, bytes, device().capabilities.max_request_bytes,
                             device().index));
  }
  if (registration == nullptr ? bytes > 0 : !registration->holds(data, bytes)) {
    return Error(Code::invalid_argument,
                 fmt::format("{}: {} of {} bytes at {} outside of its registration",
                             plugin().name(), entry, bytes, data));
  }
  return {};
}

template <class Make>
Result<Request*> HostedCommCore::post(const char* entry, void* data, std::size_t bytes,
                                      Registration* registration, Make&& make) {
  const auto* const hosted = static_cast<const HostedRegistration*>(registration);
  HAWSER_TRY(check_post(entry, data, bytes, hosted));
  HostedRequest& place = window_.next();
  place.data = data;
  place.bytes = bytes;
  place.registration = hosted;
  void* const handle = hosted == nullptr ? nullptr : hosted->memory_handle;
  const Status made = place_.fast_call(note(entry, place), [&] { return make(place, handle); });
  if (!made.ok()) return fail(made.error());
  if (place.request == nullptr) return static_cast<Request*>(nullptr);
  window_.post();
  return static_cast<Request*>(&place);
}

Result<HostedRequest*> HostedCommCore::oldest(const Request* request) {
  if (failure_) return *failure_;
  HostedRequest* const oldest = window_.oldest_unfinished();
  if (oldest == nullptr || oldest != request) {
    return Error(Code::internal, fmt::format("{}: test() of a request that is not the oldest "
                                             "unfinished one of its comm",
                                             plugin().name()));
  }
  return oldest;
}

Result<bool> HostedCommCore::poll(const HostedRequest& owner, void* plugin_request, int* sizes) {
  int done = 0;
  const Status tested = place_.fast_call(
      note("test", owner), [&] { return plugin().api().test(plugin_request, &done, sizes); });
  if (!tested.ok()) return fail(tested.error());
  return done != 0;
}

void HostedCommCore::say_what_is_left() const {
  if (window_.unreleased() > 0)
    log_warning("{}: a comm of device {} is closed with {} requests outstanding", plugin().name(),
                device().index, window_.unreleased());
  if (own_registrations_.size() > 0)
    log_warning("{}: a comm of device {} is closed with {} registrations left", plugin().name(),
                device().index, own_registrations_.size());
}

HostedSendComm::HostedSendComm(HostedPlace place, void* comm,
                               std::unique_ptr<abi::DeviceHandle> device_handle)
    : core_(std::move(place), comm), device_handle_(std::move(device_handle)) {}

HostedSendComm::~HostedSendComm() {
  core_.say_what_is_left();
  log_close_failure(core_.place().call(
      core_.note("closeSend"), [&] { return core_.plugin().api().close_send(core_.comm()); }));
}

Result<Registration*> HostedSendComm::register_memory(const MemoryRange& range) {
  return core_.register_memory(range);
}
Status HostedSendComm::deregister(Registration* registration) {
  return core_.deregister(registration);
}

Result<Request*> HostedSendComm::try_send(const void* data, std::size_t bytes, int tag,
                                          Registration* registration) {
  void* const from = const_cast<void*>(data);  // the ABI takes no const, and only reads
  return core_.post("isend", from, bytes, registration, [&](HostedRequest& place, void* handle) {
    return core_.plugin().api().send(core_.comm(), from, bytes, tag, handle, &place.request);
  });
}

Result<TestResult> HostedSendComm::test(Request* request) {
  HAWSER_ASSIGN(HostedRequest* const oldest, core_.oldest(request));
  int sizes[HostedCommCore::kMaxSizes] = {};
  HAWSER_ASSIGN(const bool done, core_.poll(*oldest, oldest->request, sizes));
  if (!done) return TestResult{};
  core_.window().finish();
  core_.window().release();
  return TestResult{true, std::nullopt};
}

HostedReceiveComm::HostedReceiveComm(HostedPlace place, void* comm,
                                     std::unique_ptr<abi::DeviceHandle> device_handle)
    : core_(std::move(place), comm), device_handle_(std::move(device_handle)) {}

HostedReceiveComm::~HostedReceiveComm() {
  if (stand_in_registration_ != nullptr)
    log_close_failure(core_.deregister(stand_in_registration_));
  core_.say_what_is_left();
  log_close_failure(core_.place().call(
      core_.note("closeRecv"), [&] { return core_.plugin().api().close_receive(core_.comm()); }));
}

Status HostedReceiveComm::open_unpacking(const abi::DeviceHandle* given) {
  const abi::DeviceHandle none{};
  auto reader = UnpackReader::open(given == nullptr ? none : *given, core_.place().gpu.get(),
                                   core_.device().devmem == Devmem::real);
  if (!reader.ok())
    return Error(reader.error().code(),
                 fmt::format("{}: device {}: {}", core_.plugin().name(), core_.device().index,
                             reader.error().message()));
  unpack_ = *reader;
  return bound_pages();
}

// The pool's size as the user gives it, else as it is known.
Status HostedReceiveComm::bound_pages() {
  HAWSER_ASSIGN(const std::int64_t given, parameters::kUnpackPoolBytes.integer());
  const std::size_t bytes = given > 0 ? static_cast<std::size_t>(given) : unpack_->pool_bytes();
  if (bytes > 0) pages_.join(core_.plugin().page_budgets().of(unpack_->bounce(), bytes));
  return {};
}

Result<Registration*> HostedReceiveComm::register_memory(const MemoryRange& range) {
  return core_.register_memory(range);
}
Status HostedReceiveComm::deregister(Registration* registration) {
  return core_.deregister(registration);
}

// A NIC that is steered to a GPU's pool has nothing for host memory: a receive that the plugin
// believes to be one never ends. So what belongs elsewhere is posted with memory of the GPU that
// stands in for it; the plugin writes nothing there, it is only what tells which pool is meant.
Result<HostedReceiveComm::Posting> HostedReceiveComm::posting(const Posting& wanted) {
  const bool by_gpu = core_.place().receives_by_gpu();
  const auto* const given = static_cast<const HostedRegistration*>(wanted.registration);
  const bool will_do = given != nullptr && (!by_gpu || given->range.kind == MemoryKind::cuda);
  if (will_do || !unpack_) return wanted;
  if (stand_in_registration_ == nullptr) {
    HAWSER_ASSIGN(stand_in_, core_.plugin().stand_in(
                                 core_.place().gpu, core_.device().capabilities.max_request_bytes));
    HAWSER_ASSIGN(stand_in_registration_, core_.register_memory(stand_in_->range()));
  }
  return Posting{stand_in_->range().data, stand_in_registration_};
}

Result<Request*> HostedReceiveComm::try_receive(void* data, std::size_t bytes, int tag,
                                                Registration* registration) {
  HAWSER_ASSIGN(const Posting posting, this->posting({data, registration}));
  const auto make = [&](HostedRequest& place, void* handle) -> int {
    const std::optional<std::size_t> pages = pages_.try_take(bytes);
    if (!pages) return abi::kSuccess;  // and no request: too early
    place.pages = *pages;
    const int result = core_.plugin().api().receive(core_.comm(), posting.data, bytes, tag, handle,
                                                    &place.request);
    if (result != abi::kSuccess || place.request == nullptr) pages_.give_back(*pages);
    return result;
  };
  return core_.post("irecv", posting.data, bytes, posting.registration, make);
}

Result<TestResult> HostedReceiveComm::test(Request* request) {
  HAWSER_ASSIGN(HostedRequest* const oldest, core_.oldest(request));
  return oldest->flush_request == nullptr ? test_receive(*oldest) : test_flush(*oldest);
}

Result<TestResult> HostedReceiveComm::test_receive(HostedRequest& request) {
  int sizes[HostedCommCore::kMaxSizes];
  std::fill(std::begin(sizes), std::end(sizes), kSizeNotTold);
  HAWSER_ASSIGN(const bool done, core_.poll(request, request.request, sizes));
  if (!done) return TestResult{};
  HAWSER_TRY(take_size(request, sizes[0]));
  HAWSER_ASSIGN(const bool flushing, start_flush(request));
  return flushing ? TestResult{} : finish(request);
}

Status HostedReceiveComm::take_size(HostedRequest& request, int size) {
  if (!core_.device().capabilities.reports_received_bytes || size == kSizeNotTold) return {};
  if (size < 0 || static_cast<std::size_t>(size) > request.bytes) {
    return core_.fail(plugin_misbehaved(
        core_.plugin().name(), core_.note("irecv", request),
        fmt::format("ended with {} bytes received, more than its buffer holds", size)));
  }
  request.received = static_cast<std::size_t>(size);
  return {};
}

// True where the receive is not done before its flush is.
Result<bool> HostedReceiveComm::start_flush(HostedRequest& request) {
  const bool to_cuda =
      request.registration != nullptr && request.registration->range.kind == MemoryKind::cuda;
  const std::size_t bytes = request.received.value_or(request.bytes);
  if (!core_.device().flushes || !to_cuda || bytes == 0) return false;
  const Status started = core_.place().fast_call(core_.note("iflush", request), [&] {
    return core_.plugin().api().flush(core_.comm(), request.data, static_cast<int>(bytes),
                                      request.registration->memory_handle, &request.flush_request);
  });
  if (!started.ok()) return core_.fail(started.error());
  return request.flush_request != nullptr;  // null: there was nothing to flush
}

Result<TestResult> HostedReceiveComm::test_flush(HostedRequest& request) {
  int sizes[HostedCommCore::kMaxSizes] = {};
  HAWSER_ASSIGN(const bool done, core_.poll(request, request.flush_request, sizes));
  return done ? finish(request) : TestResult{};
}

TestResult HostedReceiveComm::finish(HostedRequest& request) {
  core_.window().finish();
  if (!unpack_) core_.window().release();
  return TestResult{true, request.received};
}

Result<HostedRequest*> HostedReceiveComm::next_to_consume(const Request* request) {
  if (core_.failure()) return *core_.failure();
  HostedRequest* const oldest = unpack_ ? core_.window().oldest_unreleased() : nullptr;
  if (oldest == nullptr || oldest != request) {
    return Error(Code::internal, fmt::format("{}: consume() of a receive that is not the oldest "
                                             "finished one of its comm",
                                             core_.plugin().name()));
  }
  return oldest;
}

Result<Fragments> HostedReceiveComm::fragments(Request* request) {
  if (!unpack_) return ReceiveComm::fragments(request);
  if (core_.failure()) return *core_.failure();
  if (!core_.window().is_finished(request))
    return Error(Code::internal, fmt::format("{}: fragments() of a receive that is not finished",
                                             core_.plugin().name()));
  const auto& hosted = static_cast<const HostedRequest&>(*request);
  auto found = unpack_->fragments(hosted.sequence);
  if (!found.ok())
    return core_.fail(
        Error(found.error().code(), fmt::format("{}: device {}: {}", core_.plugin().name(),
                                                core_.device().index, found.error().message())));
  if (found->list.empty() && hosted.bytes > 0)
    return core_.fail(plugin_misbehaved(
        core_.plugin().name(), core_.note("irecv", hosted),
        "ended without a fragment: its bytes, if any came, did not come through the bounce pool"));
  return found;
}

Status HostedReceiveComm::consume(Request* request) {
  if (!unpack_) return ReceiveComm::consume(request);
  HAWSER_ASSIGN(HostedRequest* const oldest, next_to_consume(request));
  if (core_.plugin().api().traits().has_irecv_consumed) {
    const Status consumed = core_.place().fast_call(core_.note("irecvConsumed", *oldest), [&] {
      return core_.plugin().api().consumed(core_.comm(), oldest->request);
    });
    if (!consumed.ok()) return core_.fail(consumed.error());
  }
  pages_.give_back(oldest->pages);
  core_.window().release();
  return {};
}

}  // namespace hawser
