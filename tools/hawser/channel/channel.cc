#include "channel/channel.h"

#include <fmt/core.h>

#include <algorithm>

namespace hawser {
namespace {

std::size_t window_of(const NetCapabilities& capabilities, const ChannelOptions& options) {
  return static_cast<std::size_t>(std::max(1, std::min(options.window, capabilities.max_requests)));
}

}  // namespace

Result<std::unique_ptr<Channel>> Channel::create(ChannelKey key, AnyComm comm,
                                                 const NetCapabilities& capabilities,
                                                 const ChannelOptions& options) {
  if (options.chunk_bytes == 0 || options.chunk_bytes > capabilities.max_request_bytes)
    return Error(Code::invalid_argument,
                 fmt::format("chunks of {} bytes: the transport takes 1 to {}", options.chunk_bytes,
                             capabilities.max_request_bytes));
  const std::size_t window = window_of(capabilities, options);
  std::unique_ptr<Channel> channel(
      new Channel(key, std::move(comm), capabilities, options, window));
  HAWSER_TRY(channel->make_copies());
  return channel;
}

Status Channel::make_copies() {
  if (options_.gpu && !capabilities_.cuda_pointers) {
    HAWSER_ASSIGN(copies_, make_gpu_copy_queue(options_.gpu, static_cast<int>(window_)));
  }
  const bool receives = std::holds_alternative<std::shared_ptr<ReceiveComm>>(comm_);
  if (!receives || !capabilities_.needs_unpack) return {};
  HAWSER_ASSIGN(unpacker_,
                Unpacker::create(options_.unpack, options_.gpu, options_.chunk_bytes, window_));
  unpacker_->expect(std::get<1>(comm_)->bounce_kind());
  return {};
}

Channel::Channel(ChannelKey key, AnyComm comm, const NetCapabilities& capabilities,
                 const ChannelOptions& options, std::size_t window)
    : key_(key),
      comm_(std::move(comm)),
      capabilities_(capabilities),
      options_(options),
      window_(window),
      pipeline_(std::holds_alternative<std::shared_ptr<SendComm>>(comm_)
                    ? Pipeline(SendPipeline(*std::get<0>(comm_), window))
                    : Pipeline(ReceivePipeline(*std::get<1>(comm_), window))) {}

std::shared_ptr<Comm> Channel::comm() const {
  return std::visit([](const auto& comm) -> std::shared_ptr<Comm> { return comm; }, comm_);
}

Result<MemoryRange> Channel::to_register(const MemoryRange& memory) {
  if (memory.kind == MemoryKind::host || capabilities_.cuda_pointers) return memory;
  if (!options_.gpu)
    return Error(Code::invalid_argument, "CUDA memory on a channel that was given no GPU");
  if (!staging_) {
    HAWSER_ASSIGN(staging_, StagingRing::create(options_.gpu, window_, options_.chunk_bytes));
  }
  return staging_->range();
}

void Channel::begin(const MemoryRange& memory, Registration* registration) {
  begin(MessageRun{memory.bytes}, memory, registration);
}

void Channel::begin(const MessageRun& run, const MemoryRange& memory, Registration* registration) {
  const bool through_staging = memory.kind == MemoryKind::cuda && !capabilities_.cuda_pointers;
  TransferPlan plan;
  plan.memory = memory;
  plan.run = run;
  plan.chunk_bytes = options_.chunk_bytes;
  plan.registration = registration;
  plan.staging = through_staging ? &*staging_ : nullptr;
  plan.copies = copies_.get();
  plan.unpacker = unpacker_.get();
  std::visit([&](auto& pipeline) { pipeline.begin(plan); }, pipeline_);
}

Result<bool> Channel::progress() {
  return std::visit([](auto& pipeline) { return pipeline.progress(); }, pipeline_);
}

bool Channel::finished() const {
  return std::visit([](const auto& pipeline) { return pipeline.finished(); }, pipeline_);
}

std::size_t Channel::bytes_done() const {
  return std::visit([](const auto& pipeline) { return pipeline.bytes_done(); }, pipeline_);
}

Status Channel::transfer(const MemoryRange& memory, Registration* registration,
                         const WaitBound& bound) {
  begin(memory, registration);
  Backoff backoff;
  while (!finished()) {
    HAWSER_ASSIGN(const bool moved, progress());
    if (moved) {
      backoff.progressed();
      continue;
    }
    if (auto error = bound.broken("the transfer"))
      return error->within(fmt::format("{} of {} bytes done", bytes_done(), memory.bytes));
    backoff.idle();
  }
  return {};
}

}  // namespace hawser
