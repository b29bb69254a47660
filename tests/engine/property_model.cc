#include "engine/property_model.h"

#include <algorithm>

namespace hawser::test {
namespace {

std::ptrdiff_t at(std::uint64_t offset) {
  return static_cast<std::ptrdiff_t>(offset);
}

void copy_extent(const std::vector<std::byte>& from, const Extent& source,
                 std::vector<std::byte>& to, std::uint64_t offset) {
  std::copy_n(from.begin() + at(source.offset), source.bytes, to.begin() + at(offset));
}

}  // namespace

ModelledPair::ModelledPair(Engine& client, Engine& server, const Variant& variant,
                           std::uint64_t tag, std::uint64_t seed)
    : client_(client), server_(server), variant_(variant), tag_(tag), random_(seed) {
  renew();
}

void ModelledPair::renew() {
  const auto make = [&](Side& side, Engine& engine, Place place) {
    if (side.piece != nullptr) EXPECT_OK(side.piece->region.deregister());
    side.piece = std::make_unique<Piece>(engine, place, 1 + below(2 * variant_.chunk() + 9000));
    side.piece->memory.fill(random_());
    side.model = side.piece->memory.get(0, side.piece->memory.bytes());
  };
  make(near_, client_, variant_.near);
  make(far_, server_, variant_.far);
}

std::uint64_t ModelledPair::some_length() {
  switch (below(4)) {
    case 0:
      return below(40);
    case 1:
      return below(9000);
    case 2:
      return variant_.chunk() - 2 + below(4);
    default:
      return below(2 * variant_.chunk() + 9000);
  }
}

// Pieces of [0, bytes) that do not overlap, in any order; some of nothing.
std::vector<Extent> ModelledPair::cut(std::uint64_t bytes) {
  std::vector<Extent> pieces;
  const std::uint64_t most = below(3) == 0 ? 1 : below(3) == 0 ? 600 : 8;
  const std::uint64_t typical = std::max<std::uint64_t>(1, bytes / most);
  for (std::uint64_t from = 0; pieces.size() < most && from < bytes;) {
    const std::uint64_t length = std::min(bytes - from, below(2 * typical + 1));
    pieces.push_back({from, length});
    from += length + (below(2) == 0 ? 0 : below(5));
  }
  std::shuffle(pieces.begin(), pieces.end(), random_);
  return pieces;
}

// Sources may overlap each other, sinks may not.
void ModelledPair::plan_blocks() {
  const std::uint64_t limit = source().model.size();
  plan_.sinks = cut(std::min<std::uint64_t>(some_length(), sink().model.size()));
  plan_.sources.clear();
  for (Extent& piece : plan_.sinks) {
    piece.bytes = std::min(piece.bytes, limit);
    plan_.sources.push_back({below(limit - piece.bytes + 1), piece.bytes});
  }
}

// The message may be shorter than the room there is for it.
void ModelledPair::plan_message() {
  plan_.sinks = cut(std::min<std::uint64_t>(some_length(), sink().model.size()));
  std::uint64_t room = 0;
  for (const Extent& piece : plan_.sinks) room += piece.bytes;
  plan_.sources = cut(std::min<std::uint64_t>(below(room + 1), source().model.size()));
}

void ModelledPair::begin(const Links& links) {
  plan_.outwards = below(2) == 0;
  message_ = below(3) == 0;
  TransferOptions options;
  may_fail_ = below(8) == 0;
  receive_cancelled_ = false;
  if (may_fail_) options.timeout_ms = 1 + static_cast<int>(below(3));
  const Link& from = plan_.outwards ? links.near : links.far;
  const Link& to = plan_.outwards ? links.far : links.near;
  other_ = {};
  if (message_) {
    plan_message();
    const bool receive_first = below(2) == 0;
    if (receive_first) other_ = to.recv(tag_, sink().piece->region, plan_.sinks);
    transfer_ = from.send(tag_, source().piece->region, plan_.sources, options);
    if (!receive_first) other_ = to.recv(tag_, sink().piece->region, plan_.sinks);
    return;
  }
  plan_blocks();
  const bool write = below(2) == 0;
  std::vector<Block> blocks;
  for (std::size_t i = 0; i < plan_.sinks.size(); ++i) {
    const std::uint64_t out = plan_.sources[i].offset;
    const std::uint64_t in = plan_.sinks[i].offset;
    blocks.push_back({write ? out : in, write ? in : out, plan_.sinks[i].bytes});
  }
  transfer_ = write ? from.write(source().piece->region, sink().piece->remote, blocks, options)
                    : to.read(sink().piece->region, source().piece->remote, blocks, options);
}

void ModelledPair::maybe_cancel() {
  if (below(5) != 0) return;
  may_fail_ = true;
  receive_cancelled_ = message_ && below(2) == 0;
  (receive_cancelled_ ? other_ : transfer_).cancel();
}

void ModelledPair::apply() {
  if (!message_) {
    for (std::size_t i = 0; i < plan_.sinks.size(); ++i)
      copy_extent(source().model, plan_.sources[i], sink().model, plan_.sinks[i].offset);
    return;
  }
  std::vector<std::byte> whole;
  for (const Extent& piece : plan_.sources)
    whole.insert(whole.end(), source().model.begin() + at(piece.offset),
                 source().model.begin() + at(piece.offset + piece.bytes));
  std::uint64_t taken = 0;
  for (const Extent& piece : plan_.sinks) {
    const std::uint64_t bytes = std::min<std::uint64_t>(piece.bytes, whole.size() - taken);
    copy_extent(whole, {taken, bytes}, sink().model, piece.offset);
    taken += bytes;
  }
}

void ModelledPair::finish_and_check() {
  // Who is taken back before the two have met leaves the other one alone.
  if (receive_cancelled_ && !outcome(other_).ok()) transfer_.cancel();
  const Status came = outcome(transfer_);
  if (message_) {
    if (!came.ok()) other_.cancel();
    const Status received = outcome(other_);
    if (came.ok()) EXPECT_OK(received);
  }
  if (!may_fail_) EXPECT_OK(came);
  if (came.ok()) {
    apply();
  } else {
    // It may have got anywhere within its destination, and nowhere else.
    const std::vector<std::byte> now = sink().piece->memory.get(0, sink().model.size());
    for (const Extent& piece : plan_.sinks) copy_extent(now, piece, sink().model, piece.offset);
  }
  check(near_);
  check(far_);
}

void ModelledPair::check(Side& side) {
  const Memory& memory = side.piece->memory;
  EXPECT_TRUE(memory.get(0, memory.bytes()) == side.model);
  EXPECT_TRUE(memory.untouched_outside(0, memory.bytes()));
}

}  // namespace hawser::test
