// Disaggregated serving: a prefill worker computes the KV cache of a prompt and writes it, layer by
// layer, into the paged cache of a decode worker, whose program takes no part in the writing.
//
//   decode                                       prefill
//   takes free blocks of its cache, sends
//   their numbers and its cache's token   ---->  receives them
//                                         <----  layer 0: one batch of scattered blocks, told of
//   uses layer 0 while the others come    <----  layer 1 ...
//
// Both caches hold, for each layer, a pool of key blocks and one of value blocks. A block has the
// keys (or values) of 16 tokens: 2 heads of 128 numbers of 2 bytes, as one GPU of several would
// have.
#include <algorithm>
#include <array>
#include <numeric>
#include <random>

#include "common.h"

namespace {

constexpr std::size_t kLayers = 8;
constexpr std::size_t kParts = 2;  // keys and values
constexpr std::size_t kPoolBlocks = 1024;
constexpr std::size_t kBlockBytes = std::size_t{16} * 2 * 128 * 2;
constexpr std::size_t kCacheBytes = kLayers * kParts * kPoolBlocks * kBlockBytes;
constexpr std::size_t kPromptBlocks = 512;  // 8192 tokens

constexpr std::uint64_t kRequestTag = 7;

// Which blocks of a pool a prompt has, in the order of its tokens. The same in all pools.
using BlockTable = std::array<std::uint32_t, kPromptBlocks>;

// What decode sends: plain bytes, since both sides are the same program.
struct Request {
  std::array<std::byte, hawser::kRegionTokenBytes> token;
  BlockTable blocks;
};

std::size_t place_of(std::size_t layer, std::size_t part, std::size_t block) {
  return ((layer * kParts + part) * kPoolBlocks + block) * kBlockBytes;
}

std::uint64_t seed_of(std::size_t layer, std::size_t part, std::size_t index) {
  return (layer * kParts + part) * kPromptBlocks + index;
}

std::span<std::byte> block_of(std::vector<std::byte>& cache, std::size_t place) {
  return std::span(cache).subspan(place, kBlockBytes);
}

// Any blocks of a pool, in any order, as an allocator under load would give them.
BlockTable take_blocks() {
  std::vector<std::uint32_t> free_blocks(kPoolBlocks);
  std::iota(free_blocks.begin(), free_blocks.end(), 0u);
  std::shuffle(free_blocks.begin(), free_blocks.end(), std::mt19937(std::random_device{}()));
  BlockTable table;
  std::copy_n(free_blocks.begin(), table.size(), table.begin());
  return table;
}

hawser::Region register_request(hawser::Engine& engine, Request& request) {
  return example::need(engine.register_memory(&request, sizeof request), "registering a request");
}

// ---- decode ----

void check_layer(std::vector<std::byte>& cache, const BlockTable& blocks, std::size_t layer) {
  for (std::size_t part = 0; part < kParts; ++part)
    for (std::size_t index = 0; index < blocks.size(); ++index)
      example::check(block_of(cache, place_of(layer, part, blocks[index])),
                     seed_of(layer, part, index));
}

// Blocks of other prompts must be as they were: all zero.
void check_other_blocks(std::vector<std::byte>& cache, const BlockTable& blocks) {
  std::array<bool, kPoolBlocks> ours{};
  for (const std::uint32_t block : blocks) ours[block] = true;
  for (std::size_t pool = 0; pool < kLayers * kParts; ++pool)
    for (std::size_t block = 0; block < kPoolBlocks; ++block) {
      const auto bytes = block_of(cache, (pool * kPoolBlocks + block) * kBlockBytes);
      const auto zero = [](std::byte byte) { return byte == std::byte{0}; };
      if (!ours[block] && !std::all_of(bytes.begin(), bytes.end(), zero))
        throw std::runtime_error("block " + std::to_string(block) + " was written to");
    }
}

void decode(int port) {
  std::vector<std::byte> cache(kCacheBytes);
  Request request{.token = {}, .blocks = take_blocks()};
  const auto engine = example::need(hawser::Engine::create(), "making an engine");
  hawser::Region region = example::need(
      engine->register_memory(cache.data(), cache.size(), hawser::Rights::write), "registering");
  const auto acceptor = example::need(engine->listen("0.0.0.0", port), "listening");
  const hawser::Link link = example::need(acceptor->accept(example::kPatienceMs), "accepting");

  const std::vector<std::byte> token = region.token();
  std::copy_n(token.begin(), request.token.size(), request.token.begin());
  hawser::Region outbox = register_request(*engine, request);
  example::need(link.send(kRequestTag, outbox.span(0, sizeof request)).result(),
                "sending a request");

  // Layers are writes of their own, so they may come in any order; each is whole when it is told.
  for (std::size_t layers = 0; layers < kLayers; ++layers) {
    const std::size_t layer = std::stoul(example::wait_for_notification(*engine, link));
    check_layer(cache, request.blocks, layer);
    std::cout << "decode: layer " << layer << " is there, and right" << std::endl;
  }
  check_other_blocks(cache, request.blocks);
  std::cout << "decode: no other block was touched" << std::endl;
  example::say_and_close(link, "decoding");
  example::need(region.deregister(), "deregistering");
}

// ---- prefill ----

void compute_layer(std::vector<std::byte>& cache, const BlockTable& blocks, std::size_t layer) {
  for (std::size_t part = 0; part < kParts; ++part)
    for (std::size_t index = 0; index < blocks.size(); ++index)
      example::fill(block_of(cache, place_of(layer, part, blocks[index])),
                    seed_of(layer, part, index));
}

// From where a layer's blocks are here to where decode wants them: a thousand pieces.
std::vector<hawser::Block> pieces_of(std::size_t layer, const BlockTable& here,
                                     const BlockTable& there) {
  std::vector<hawser::Block> pieces;
  for (std::size_t part = 0; part < kParts; ++part)
    for (std::size_t index = 0; index < here.size(); ++index)
      pieces.push_back({.local_offset = place_of(layer, part, here[index]),
                        .remote_offset = place_of(layer, part, there[index]),
                        .bytes = kBlockBytes});
  return pieces;
}

Request receive_request(hawser::Engine& engine, const hawser::Link& link) {
  Request request{};
  hawser::Region inbox = register_request(engine, request);
  example::need(link.recv(kRequestTag, inbox.span(0, sizeof request)).result(),
                "receiving a request");
  example::need(inbox.deregister(), "deregistering a request");
  return request;
}

void prefill(const std::string& address, int port) {
  std::vector<std::byte> cache(kCacheBytes);
  const BlockTable blocks = take_blocks();
  const auto engine = example::need(hawser::Engine::create(), "making an engine");
  const hawser::Region region =
      example::need(engine->register_memory(cache.data(), cache.size()), "registering");
  const hawser::Link link = example::need(engine->connect(address, port), "connecting");
  const Request request = receive_request(*engine, link);
  const hawser::RemoteRegion remote =
      example::need(hawser::RemoteRegion::from_token(request.token), "reading a token");

  // While a layer is on its way, the next one is computed.
  std::vector<hawser::Transfer> transfers;
  for (std::size_t layer = 0; layer < kLayers; ++layer) {
    compute_layer(cache, blocks, layer);
    hawser::TransferOptions options;
    options.notification = std::to_string(layer);
    const auto pieces = pieces_of(layer, blocks, request.blocks);
    transfers.push_back(link.write(region, remote, pieces, options));
  }
  std::uint64_t bytes = 0;
  for (const hawser::Transfer& transfer : transfers) {
    example::need(transfer.result(), "writing a layer");
    bytes += transfer.bytes_done();
  }
  // Now the blocks may be given to another prompt.
  std::cout << "prefill: wrote " << kLayers << " layers of " << kParts * blocks.size()
            << " blocks, " << bytes << " bytes" << std::endl;
  std::cout << "prefill: the peer is " << example::wait_for_notification(*engine, link)
            << std::endl;
  link.close(example::kPatienceMs);
}

}  // namespace

int main(int argc, char** argv) {
  example::Role role;
  if (!example::read_role({argv + 1, static_cast<std::size_t>(argc) - 1}, role))
    return example::usage("kv_cache");
  return example::run([&] {
    if (role.serves)
      decode(role.port);
    else
      prefill(role.address, role.port);
  });
}
