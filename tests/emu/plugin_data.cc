// isend, irecv, test, irecvConsumed and iflush.
#include <csignal>

#include "plugin.h"
#include "unpack_layout.h"

namespace emu {

// The real one writes to sockets without MSG_NOSIGNAL.
int Plugin::check_sigpipe() {
  struct sigaction action {};
  if (sigaction(SIGPIPE, nullptr, &action) != 0 || action.sa_handler != SIG_DFL) return kSuccess;
  return report_.rule_broken(
      "SIGPIPE is not ignored; it would kill this process with the real one");
}

int Plugin::check_size(const CommInfo& info, const char* call, int bytes) {
  if (bytes < 0)
    return report_.rule_broken("channel %d: %s of %d bytes", info.channel, call, bytes);
  if (settings_.chunk_bytes == 0)
    return report_.rule_broken(
        "channel %d: %s with NCCL_DYNAMIC_CHUNK_SIZE unset or 0; the real plugin hangs here",
        info.channel, call);
  if (bytes > settings_.chunk_bytes)
    return report_.rule_broken("channel %d: %s of %d bytes, and NCCL_DYNAMIC_CHUNK_SIZE is %lld",
                               info.channel, call, bytes,
                               static_cast<long long>(settings_.chunk_bytes));
  return kSuccess;
}

int Plugin::make_posting(const CommInfo& info, const char* call, void* data, int bytes,
                         void* opaque_registration, Posting& posting) {
  if (const int problem = check_sigpipe()) return problem;
  if (const int problem = check_size(info, call, bytes)) return problem;
  auto registration = registrations_.find(opaque_registration);
  if (registration == nullptr)
    return report_.rule_broken("channel %d: %s with %p, which is no live registration",
                               info.channel, call, opaque_registration);
  if (registration->device != info.device)
    return report_.rule_broken("channel %d: %s on device %d with a registration of device %d",
                               info.channel, call, info.device, registration->device);
  if (bytes > 0 && !registration->covers(data, static_cast<std::size_t>(bytes)))
    return report_.rule_broken("channel %d: %s of %d bytes at %p, outside its registration",
                               info.channel, call, bytes, data);
  posting = {static_cast<std::byte*>(data), static_cast<std::uint32_t>(bytes),
             Hold(std::move(registration))};
  return kSuccess;
}

// The real one's threads start with the first request.
void Plugin::start_worker(const CommInfo& info) {
  const FaultRule* const rule = faults_->find(kTargetWorker, info.side, info.channel);
  if (rule == nullptr) return;
  faults_->applied();
  ending_.act(*rule);
}

int Plugin::isend(void* opaque_comm, void* data, int bytes, void* registration, void** request) {
  if (const int problem = enter(HAWSER_EMU_ISEND)) return problem;
  const auto comm = senders_.find(opaque_comm);
  if (comm == nullptr)
    return report_.rule_broken("isend on %p, which is no live send comm", opaque_comm);
  const Use use(comm->in_use);
  if (!use) return shared(comm->info(), "isend");
  *request = nullptr;
  windows_.close(comm->info().creation);
  const Outcome outcome = fault(HAWSER_EMU_ISEND, comm->info(), &comm->first_post);
  if (outcome.verdict == Outcome::fail) return outcome.code;
  if (outcome.verdict == Outcome::not_yet) return kSuccess;
  Posting posting;
  if (const int problem = make_posting(comm->info(), "isend", data, bytes, registration, posting))
    return problem;
  start_worker(comm->info());
  return comm->post(std::move(posting), request);
}

int Plugin::irecv(void* opaque_comm, int count, void** data, int* bytes, void** registrations,
                  void** request) {
  if (const int problem = enter(HAWSER_EMU_IRECV)) return problem;
  const auto comm = receivers_.find(opaque_comm);
  if (comm == nullptr)
    return report_.rule_broken("irecv on %p, which is no live receive comm", opaque_comm);
  const Use use(comm->in_use);
  if (!use) return shared(comm->info(), "irecv");
  if (count != 1)
    return report_.rule_broken("channel %d: irecv of %d buffers", comm->info().channel, count);
  *request = nullptr;
  windows_.close(comm->info().creation);
  const Outcome outcome = fault(HAWSER_EMU_IRECV, comm->info(), &comm->first_post);
  if (outcome.verdict == Outcome::fail) return outcome.code;
  if (outcome.verdict == Outcome::not_yet) return kSuccess;
  Posting posting;
  if (const int problem =
          make_posting(comm->info(), "irecv", data[0], bytes[0], registrations[0], posting))
    return problem;
  start_worker(comm->info());
  return comm->post(std::move(posting), request);
}

int Plugin::iflush() {
  stats_.calls[HAWSER_EMU_IFLUSH].fetch_add(1, std::memory_order_relaxed);
  return report_.rule_broken("iflush must never be called");
}

template <typename Comm>
int Plugin::test_on(Table<Comm>& table, HawserEmuCall call, void* request, int* done) {
  const auto comm = table.at(number_of(request) >> kCommShift);
  if (comm == nullptr)
    return report_.rule_broken("test of request %p, whose comm is closed", request);
  const Use use(comm->in_use);
  if (!use) return shared(comm->info(), "test");
  const auto sequence = static_cast<std::uint32_t>(number_of(request));
  const Outcome outcome = fault(call, comm->info(), &comm->first_test(sequence));
  if (outcome.verdict == Outcome::fail) return outcome.code;
  if (outcome.verdict == Outcome::not_yet) return kSuccess;
  return comm->test(sequence, done);
}

int Plugin::test(void* request, int* done) {
  if (const int problem = enter(HAWSER_EMU_TEST)) return problem;
  if (done == nullptr) return report_.rule_broken("test with nowhere to say done");
  *done = 0;
  if (has_tag(request, Tag::send_request)) return test_on(senders_, HAWSER_EMU_TEST, request, done);
  if (has_tag(request, Tag::receive_request))
    return test_on(receivers_, HAWSER_EMU_TEST, request, done);
  return report_.rule_broken("test of %p, which is no request", request);
}

int Plugin::irecv_consumed(void* opaque_comm, int count, void* request) {
  if (const int problem = enter(HAWSER_EMU_IRECV_CONSUMED)) return problem;
  const auto comm = receivers_.find(opaque_comm);
  if (comm == nullptr)
    return report_.rule_broken("irecvConsumed on %p, which is no live receive comm", opaque_comm);
  const Use use(comm->in_use);
  if (!use) return shared(comm->info(), "irecvConsumed");
  const Outcome outcome = fault(HAWSER_EMU_IRECV_CONSUMED, comm->info());
  if (outcome.verdict == Outcome::fail) return outcome.code;
  const bool of_comm = has_tag(request, Tag::receive_request) &&
                       number_of(request) >> kCommShift == number_of(opaque_comm);
  if (count != 1 || !of_comm)
    return report_.rule_broken("channel %d: irecvConsumed of %d of %p, no receive of this comm",
                               comm->info().channel, count, request);
  return comm->consume(static_cast<std::uint32_t>(number_of(request)));
}

}  // namespace emu
