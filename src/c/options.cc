#include "c/options.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "c/failure.h"

namespace hawser::capi {
namespace {

// More is no size but memory that nobody has set.
constexpr std::size_t kMaxOptionsBytes = 4096;
constexpr std::size_t kMaxOptionDevices = 1024;

// Those of the first hawser.h, which are the smallest there are. Fields may only be added behind,
// and none in padding, where a size could not tell them.
constexpr std::size_t first_size(const hawser_engine_options_t*) {
  return 64;
}
constexpr std::size_t first_size(const hawser_link_options_t*) {
  return 40;
}
constexpr std::size_t first_size(const hawser_transfer_options_t*) {
  return 40;
}
static_assert(sizeof(hawser_engine_options_t) == 88);
static_assert(sizeof(hawser_link_options_t) == 40);
static_assert(sizeof(hawser_transfer_options_t) == 40);

void set_defaults(hawser_engine_options_t& options) {
  const EngineOptions defaults;
  options.threads = defaults.threads;
  options.chunk_bytes = defaults.chunk_bytes;
  options.stall_ms = defaults.stall_ms;
  options.peer_silence_ms = defaults.peer_silence_ms;
  options.retry_ms = defaults.retry_ms;
}

void set_defaults(hawser_link_options_t& options) {
  const LinkOptions defaults;
  options.gpu = defaults.gpu;
  options.channels_per_device = defaults.channels_per_device;
  options.timeout_ms = defaults.timeout_ms;
}

void set_defaults(hawser_transfer_options_t& options) {
  options.timeout_ms = TransferOptions().timeout_ms;
}

Status check_options_size(std::size_t size, std::size_t first) {
  return require(size >= first && size <= kMaxOptionsBytes,
                 "options of an impossible size: hawser_..._options_init() sets it");
}

template <class Options>
Options with_defaults() {
  static_assert(std::is_trivially_copyable_v<Options>);
  Options options{};
  options.size = sizeof options;
  set_defaults(options);
  return options;
}

// For a caller whose structure may be shorter than ours, or longer.
template <class Options>
Status init_options(Options* options, std::size_t size) {
  if (options == nullptr) return Error(Code::invalid_argument, "no options to initialise");
  if (Status fits = check_options_size(size, first_size(options)); !fits.ok()) return fits;
  const auto ours = with_defaults<Options>();
  std::memset(static_cast<void*>(options), 0, size);
  std::memcpy(static_cast<void*>(options), &ours, std::min(size, sizeof ours));
  options->size = size;
  return {};
}

// What a caller of a later hawser.h has set and we do not know. A field of 0 is one that was not.
template <class Options>
bool asks_for_more(const Options* options) {
  const auto* const bytes = static_cast<const unsigned char*>(static_cast<const void*>(options));
  for (std::size_t at = sizeof *options; at < options->size; ++at)
    if (bytes[at] != 0) return true;
  return false;
}

// The options as this library has them, from those of a caller of any version.
template <class Options>
Result<Options> ours_of(const Options* given) {
  auto options = with_defaults<Options>();
  if (given == nullptr) return options;
  if (const Status fits = check_options_size(given->size, first_size(given)); !fits.ok())
    return fits.error();
  if (asks_for_more(given))
    return Error(Code::invalid_argument,
                 "an option that this library does not know: it is older than the caller's "
                 "hawser.h");
  std::memcpy(static_cast<void*>(&options), given, std::min(given->size, sizeof options));
  return options;
}

Result<std::vector<std::string>> device_names(const char* const* names, std::size_t count) {
  if (count > kMaxOptionDevices || (names == nullptr && count > 0))
    return Error(Code::invalid_argument, "options: devices and device_count do not fit");
  std::vector<std::string> devices;
  for (std::size_t at = 0; at < count; ++at) {
    if (names[at] == nullptr) return Error(Code::invalid_argument, "options: a device of no name");
    devices.emplace_back(names[at]);
  }
  return devices;
}

Status unused(std::int32_t reserved) {
  return require(reserved == 0, "options: a reserved field is not 0");
}

}  // namespace

std::string text_of(const char* text) {
  return text == nullptr ? std::string() : std::string(text);
}

Result<EngineOptions> read_options(const hawser_engine_options_t* given) {
  const auto options = ours_of(given);
  if (!options.ok()) return options.error();
  if (const Status zero = unused(options->reserved); !zero.ok()) return zero.error();
  auto devices = device_names(options->devices, options->device_count);
  if (!devices.ok()) return devices.error();
  EngineOptions read;
  read.plugin = text_of(options->plugin);
  read.devices = std::move(*devices);
  read.gpu_nic_map = text_of(options->gpu_nic_map);
  read.threads = options->threads;
  read.chunk_bytes = options->chunk_bytes;
  read.stall_ms = options->stall_ms;
  read.peer_silence_ms = options->peer_silence_ms;
  read.retry_ms = options->retry_ms;
  read.isolate = options->isolate != 0;
  read.data_ports = text_of(options->data_ports);
  read.advertise = text_of(options->advertise);
  return read;
}

Result<LinkOptions> read_options(const hawser_link_options_t* given) {
  const auto options = ours_of(given);
  if (!options.ok()) return options.error();
  if (const Status zero = unused(options->reserved); !zero.ok()) return zero.error();
  auto devices = device_names(options->devices, options->device_count);
  if (!devices.ok()) return devices.error();
  LinkOptions read;
  read.gpu = options->gpu;
  read.devices = std::move(*devices);
  read.channels_per_device = options->channels_per_device;
  read.timeout_ms = options->timeout_ms;
  return read;
}

Result<TransferOptions> read_options(const hawser_transfer_options_t* given) {
  const auto options = ours_of(given);
  if (!options.ok()) return options.error();
  const auto* const text = static_cast<const char*>(options->notification);
  const std::size_t bytes = options->notification_bytes;
  if (text == nullptr && bytes > 0)
    return Error(Code::invalid_argument, "options: a notification that is nowhere");
  if (bytes > kMaxNotificationBytes)
    return Error(Code::invalid_argument, "options: a notification that is too long");
  TransferOptions read;
  if (bytes > 0) read.notification.assign(text, bytes);
  read.cuda_stream = options->cuda_stream;
  read.timeout_ms = options->timeout_ms;
  read.only_if_room = options->only_if_room != 0;
  return read;
}

}  // namespace hawser::capi

using namespace hawser::capi;

hawser_status_t hawser_engine_options_init(hawser_engine_options_t* options, size_t size) {
  return guarded([&] { return init_options(options, size); });
}

hawser_status_t hawser_link_options_init(hawser_link_options_t* options, size_t size) {
  return guarded([&] { return init_options(options, size); });
}

hawser_status_t hawser_transfer_options_init(hawser_transfer_options_t* options, size_t size) {
  return guarded([&] { return init_options(options, size); });
}
