#include "validation/next_step.h"

#include <fmt/core.h>

namespace hawser {
namespace {

constexpr const char* kMendIt = "Mend what the reason names, then run both sides again";

std::string own_device(const Subject& subject) {
  const NetDevice& device = subject.device;
  return device.address.empty() ? device.name : fmt::format("{} {}", device.name, device.address);
}

// Where a plugin's own reasons are.
std::string logs(const Subject& subject) {
  const char* const rxdm =
      subject.device.devmem == Devmem::real ? "RxDM's log on both machines and " : "";
  return fmt::format("{}what the transport says on both sides' stderr", rxdm);
}

std::string after_timeout(const Subject& subject) {
  return fmt::format(
      "Check that the two devices reach each other (here: {}), read {}, then try a longer "
      "--timeout",
      own_device(subject), logs(subject));
}

std::string after_lost_connection(const Subject& subject) {
  return fmt::format("Check the network between the two devices (here: {}), and read {}",
                     own_device(subject), logs(subject));
}

std::string after_refused_argument(const Cause& cause) {
  if (cause.operation != Operation::reg_mr) return kMendIt;
  return "Check --bytes and --memory: devmem takes whole pages of 4096 bytes within one allocation";
}

std::string after_wrong_bytes(const Subject& subject) {
  if (subject.device.devmem == Devmem::none)
    return "Run both sides again; if bytes are wrong again, report it with both sides' stderr";
  return "Run both sides again with HAWSER_UNPACK=host: if all is right then, unpacking is at "
         "fault";
}

}  // namespace

std::string next_step(const Subject& subject, const Cause& cause) {
  switch (cause.kind) {
    case Code::timeout:
      return after_timeout(subject);
    case Code::peer:
      return after_lost_connection(subject);
    case Code::plugin:
      return fmt::format("Read {}; docs/tcpx.md has the plugin's errors and what to do",
                         logs(subject));
    case Code::data:
      return after_wrong_bytes(subject);
    case Code::invalid_argument:
      return after_refused_argument(cause);
    case Code::unavailable:
    case Code::system:
    case Code::cancelled:
      return kMendIt;
    case Code::protocol:
    case Code::internal:
      break;
  }
  return "Report it with both sides' stderr, of a run with --verbose";
}

std::string next_step_of_conflict(const Subject& subject) {
  if (subject.device.devmem != Devmem::none) return "Contact Google, reconsider approach";
  return "Read each failed channel's reason on stderr; 'hawser devices' shows what this NIC offers";
}

std::string next_step_of_lost_peer() {
  return "Read the other side's report and log, then run both sides again";
}

std::string next_step_without_run(const Error& error) {
  if (error.code() == Code::timeout)
    return "Start the other side, check that it reaches this one's address and port, then run both "
           "sides again";
  return kMendIt;
}

}  // namespace hawser
