// Reads, and what else takes the way of data that comes in when it was asked for: receives.
#include <utility>

#include "engine/operations/operations.h"
#include "gpu/event.h"

namespace hawser::engine {
namespace {

constexpr std::uint64_t kMostOfPart = 1ULL << 30;

// A request per so many pieces, each by a number of its own.
std::size_t parts_in(const BlockList& blocks) {
  ChunkCutter cutter(blocks);
  std::size_t parts = 0;
  for (; !cutter.empty(); ++parts) cutter.next(kMostOfPart, wire::kMaxPieces);
  return parts;
}

}  // namespace

Operations::State Operations::read(const Link& link, Request request, const wire::Key& key) {
  if (request.blocks.total() == 0) return done_at_once();
  State transfer;
  EndedTransfers ended(going_on_, bell_);
  {
    const Lock lock(mutex_);
    if (auto refused = refused_if_ended()) return refused;
    if (auto refused = refused_if_draining(key)) return refused;
    auto inbound = std::make_shared<Inbound>();
    inbound->op = ++last_op_;
    inbound->blocks = std::move(request.blocks);
    inbound->region = std::move(request.region);
    inbound->after = std::move(request.after);
    inbound->key = key;
    inbound->only_if_room = request.only_if_room;
    inbound->transfer = transfer = make_transfer(link, inbound->op, inbound->blocks.total());
    inbound_.emplace(inbound->op, inbound);
    drains_.begin(key);
    begin(inbound->op, inbound->region, request.timeout_ms);
    start(inbound, ended);
  }
  wake_(0);
  return transfer;
}

void Operations::start(const std::shared_ptr<Inbound>& inbound, EndedTransfers& ended) {
  const std::shared_ptr<GpuEvent> after = std::move(inbound->after);
  const Result<bool> there = after == nullptr ? Result<bool>(true) : after->finished();
  inbound->held = true;
  if (!there.ok())
    stop_inbound(inbound, there.error(), ended);
  else if (*there)
    ask_for(inbound, ended);
  else
    gate_.add(after, inbound);
}

// The peer is to send it, a read as soon as there is room for that.
void Operations::ask_for(const std::shared_ptr<Inbound>& inbound, EndedTransfers& ended) {
  if (!inbound->peer_op && inbound->only_if_room &&
      !has_room_there(Kept::read, parts_in(inbound->blocks)))
    return stop_inbound(inbound, no_room(Kept::read), ended);
  inbound->held = false;
  if (!inbound->peer_op) return add_parts(inbound, ended);
  parts_.emplace(inbound->op, InboundPart{inbound, 0, inbound->bytes, 0});
  inbound->first_part = inbound->op;
  inbound->parts_end = inbound->op + 1;
  inbound->parts_left = 1;
  post(wire::Ready{*inbound->peer_op, inbound->op});
}

void Operations::add_parts(const std::shared_ptr<Inbound>& inbound, EndedTransfers& ended) {
  ChunkCutter cutter(inbound->blocks);
  inbound->first_part = last_op_ + 1;
  inbound->unasked = 1;  // until all are there
  while (!cutter.empty()) {
    const ChunkRef part = cutter.next(kMostOfPart, wire::kMaxPieces);
    auto message = std::make_shared<Message>();
    for_each_piece(inbound->blocks, part,
                   [&](std::uint64_t, std::uint64_t remote, std::uint64_t bytes) {
                     message->pieces.push_back({remote, static_cast<std::uint32_t>(bytes)});
                   });
    const std::uint64_t number = ++last_op_;
    message->record = wire::ReadRequest{number, inbound->key, message->pieces, {}};
    parts_.emplace(number, InboundPart{inbound, part.offset, part.bytes, 0});
    ++inbound->parts_left;
    ++inbound->unasked;
    when_there_is_room(Kept::read, number, {std::move(message), nullptr}, ended);
  }
  inbound->parts_end = last_op_ + 1;
  asked(*inbound);
}

// A part of it has been asked for, or will not be.
void Operations::asked(Inbound& inbound) {
  if (--inbound.unasked == 0) count_down(inbound.key);
}

// False: it has been asked for.
bool Operations::take_back_part(Inbound& inbound, std::uint64_t part) {
  if (!take_back(Kept::read, part)) return false;
  asked(inbound);
  if (parts_.erase(part) > 0) --inbound.parts_left;
  inbound.broken = true;
  return true;
}

Status Operations::find_target(const wire::ReplyChunk& chunk, Target& target) {
  target.op = chunk.op;
  target.reply = true;
  target.tracked = false;
  const Lock lock(mutex_);
  const auto at = parts_.find(chunk.op);
  if (at == parts_.end()) return {};
  const InboundPart& part = at->second;
  if (chunk.offset > part.bytes || chunk.bytes > part.bytes - chunk.offset) return {};
  const Inbound& inbound = *part.inbound;
  const std::uint64_t offset = part.offset + chunk.offset;
  for_each_piece(inbound.blocks, ChunkRef{offset, chunk.bytes, inbound.blocks.find(offset), 0},
                 [&](std::uint64_t local, std::uint64_t, std::uint64_t bytes) {
                   target.pieces.push_back({local, 0, bytes});
                 });
  target.region = inbound.region.again();
  return {};
}

void Operations::end_part(std::uint64_t number, std::optional<Error> why, EndedTransfers& ended) {
  const auto at = parts_.find(number);
  const std::shared_ptr<Inbound> inbound = std::move(at->second.inbound);
  parts_.erase(at);
  --inbound->parts_left;
  if (take_back(Kept::read, number)) asked(*inbound);  // answered before: no correct peer does
  if (why) {
    inbound->broken = true;
    stop_inbound(inbound, std::move(*why), ended);
  }
  if (inbound->parts_left == 0) end_inbound(inbound, ended);
}

void Operations::end_inbound(const std::shared_ptr<Inbound>& inbound, EndedTransfers& ended) {
  if (std::exchange(inbound->ended, true)) return;
  ended.add(*inbound->transfer, inbound->broken ? Status(*inbound->error) : Status());
  forget(inbound->op, inbound->region, inbound->ending);
  inbound->region.reset();
  inbound_.erase(inbound->op);
}

void Operations::stop_inbound(const std::shared_ptr<Inbound>& inbound, Error why,
                              EndedTransfers& ended) {
  if (inbound->error) return;
  inbound->error = std::move(why);
  bool any_back = false;
  for (std::uint64_t part = inbound->first_part; part < inbound->parts_end; ++part)
    if (take_back_part(*inbound, part))
      any_back = true;
    else if (parts_.contains(part))
      post(wire::Stop{part});
  if (any_back && inbound->parts_left == 0) return end_inbound(inbound, ended);
  if (std::exchange(inbound->held, false)) {
    if (inbound->peer_op)
      post_fault(*inbound->peer_op, taken_back());
    else
      count_down(inbound->key);
    inbound->broken = true;
    end_inbound(inbound, ended);
    return;
  }
  if (!inbound->posted) return;
  tags_.remove(inbound);
  inbound->broken = true;
  end_inbound(inbound, ended);
}

// ---- what the peer reads ----

Status Operations::on(const wire::ReadRequest& request, EndedTransfers&) {
  HAWSER_TRY(take_room_here(Kept::read));
  if (replies_.contains(request.sender_op)) return Error(Code::protocol, "one read came twice");
  Result<RegionUse> use = regions_.use(request.key, Rights::read);
  if (!use.ok()) {
    post_fault(request.sender_op, use.error(), Kept::read);
    return {};
  }
  std::vector<Block> pieces;
  std::uint64_t at = 0;
  for (std::size_t i = 0; i < request.decoded.size(); ++i) {
    const wire::Piece piece = request.decoded[i];
    pieces.push_back({piece.offset, at, piece.bytes});
    at += piece.bytes;
  }
  auto share = budget_->take(kReadBytes + pieces.size() * sizeof(Block));
  if (!share.ok()) {
    post_fault(request.sender_op, share.error(), Kept::read);
    return {};
  }
  auto blocks = BlockList::create(pieces, (*use)->range().bytes, UINT64_MAX);
  if (!blocks.ok()) {
    post_fault(request.sender_op, blocks.error(), Kept::read);
    return {};
  }
  auto reply = std::make_shared<Outgoing>(Outgoing::Kind::reply, std::move(*blocks));
  reply->peer_op = request.sender_op;
  reply->region = std::move(*use);
  reply->share = std::move(*share);
  served_.emplace(reply->region.get(), reply->peer_op);
  replies_.emplace(reply->peer_op, reply);
  outbox_.add(std::move(reply));
  return {};
}

Status Operations::on(const wire::Stop& stop, EndedTransfers& ended) {
  if (const auto at = replies_.find(stop.sender_op); at != replies_.end())
    stop_outgoing(std::shared_ptr(at->second), taken_back(), ended, Stopping::withdrawn);
  else  // all of it was taken in, but may have found no place there
    post_fault(stop.sender_op, Error(Code::cancelled, "all of it had been sent"));
  return {};
}

}  // namespace hawser::engine
