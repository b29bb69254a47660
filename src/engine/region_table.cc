#include "engine/region_table.h"

#include <fmt/core.h>
#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>

#include "base/endian.h"
#include "base/log.h"

namespace hawser::engine {
namespace {

// A token: magic, checksum, key, bytes, gpu, rights; the rest is zero.
constexpr std::uint32_t kTokenMagic = 0x52535748;  // "HWSR" in the order of the bytes
constexpr std::size_t kTokenChecksum = 4;
constexpr std::size_t kTokenKey = 8;
constexpr std::size_t kTokenLength = 24;
constexpr std::size_t kTokenGpu = 32;
constexpr std::size_t kTokenRights = 36;
static_assert(kTokenRights + 4 <= kRegionTokenBytes);

// FNV-1a over all but itself: it finds damage, not malice, against which there is the key.
std::uint32_t token_checksum(std::span<const std::byte> token) {
  std::uint32_t hash = 2166136261U;
  for (std::size_t at = kTokenKey; at < token.size(); ++at)
    hash = (hash ^ std::to_integer<std::uint32_t>(token[at])) * 16777619U;
  return hash;
}

}  // namespace

void LocalRegion::note_loss(const Error& why) {
  if (!lost_.exchange(true, std::memory_order_relaxed))
    log_warning("a region of {} bytes at {}: {}", range_.bytes, range_.data, why.message());
}

bool LocalRegion::try_use(User user) {
  const std::lock_guard lock(mutex_);
  if (state_ == State::closed || (state_ == State::draining && user == User::owner)) return false;
  ++uses_;
  return true;
}

void LocalRegion::use_again() {
  const std::lock_guard lock(mutex_);
  ++uses_;
}

RegionUse RegionUse::again() const {
  if (region_ != nullptr) region_->use_again();
  return RegionUse(region_);
}

void LocalRegion::release() {
  const std::lock_guard lock(mutex_);
  if (--uses_ == 0 && state_ == State::closed) unused_.notify_all();
}

bool LocalRegion::drain() {
  const std::lock_guard lock(mutex_);
  if (state_ == State::closed) return false;
  state_ = State::draining;
  return true;
}

void LocalRegion::close() {
  const std::lock_guard lock(mutex_);
  state_ = State::closed;
}

bool LocalRegion::wait_unused(const Deadline& deadline) {
  std::unique_lock lock(mutex_);
  return unused_.wait_for(lock, deadline.remaining(), [this] { return uses_ == 0; });
}

std::size_t RegionTable::Hash::operator()(const wire::Key& key) const {
  std::size_t hash = 0;  // a key is as random as can be
  std::memcpy(&hash, key.data(), sizeof hash);
  return hash;
}

void RegionTable::add(std::shared_ptr<LocalRegion> region) {
  const std::unique_lock lock(mutex_);
  regions_.emplace(region->key(), std::move(region));
}

void RegionTable::remove(const LocalRegion& region) {
  const std::unique_lock lock(mutex_);
  regions_.erase(region.key());
}

Result<RegionUse> RegionTable::use(const wire::Key& key, Rights wanted) const {
  const std::shared_lock lock(mutex_);
  const auto at = regions_.find(key);
  if (at == regions_.end())
    return Error(Code::invalid_argument,
                 "the peer has no region of that key: was it deregistered, or its process "
                 "restarted?");
  if (!at->second->grants(wanted))
    return Error(Code::invalid_argument,
                 fmt::format("the region's owner does not allow its peers to {} it",
                             wanted == Rights::read ? "read" : "write"));
  RegionUse use = RegionUse::begin(at->second, LocalRegion::User::peer);
  if (!use) return Error(Code::invalid_argument, "the region is being deregistered by its owner");
  return use;
}

bool RegionTable::inside(const LocalRegion& region, std::uint64_t offset, std::uint64_t bytes) {
  const std::uint64_t size = region.range().bytes;
  return offset <= size && bytes <= size - offset;
}

Result<wire::Key> make_key() {
  wire::Key key;
  if (::getrandom(key.data(), key.size(), 0) != static_cast<ssize_t>(key.size()))
    return system_error(errno, "asking the kernel for a random key");
  return key;
}

std::vector<std::byte> encode_token(const LocalRegion& region) {
  std::vector<std::byte> token(kRegionTokenBytes);
  store_le(token.data(), kTokenMagic);
  std::copy(region.key().begin(), region.key().end(), token.begin() + kTokenKey);
  store_le(token.data() + kTokenLength, std::uint64_t{region.range().bytes});
  store_le(token.data() + kTokenGpu, static_cast<std::uint32_t>(region.range().gpu + 1));
  store_le(token.data() + kTokenRights, static_cast<std::uint32_t>(region.rights()));
  store_le(token.data() + kTokenChecksum, token_checksum(token));
  return token;
}

Result<TokenFields> decode_token(std::span<const std::byte> token) {
  if (token.size() != kRegionTokenBytes || load_le<std::uint32_t>(token.data()) != kTokenMagic ||
      load_le<std::uint32_t>(token.data() + kTokenChecksum) != token_checksum(token))
    return Error(
        Code::invalid_argument,
        fmt::format("{} bytes that are no region's token, or a damaged one", token.size()));
  TokenFields fields;
  std::copy_n(token.begin() + kTokenKey, fields.key.size(), fields.key.begin());
  fields.bytes = load_le<std::uint64_t>(token.data() + kTokenLength);
  fields.gpu = static_cast<int>(load_le<std::uint32_t>(token.data() + kTokenGpu)) - 1;
  fields.rights = static_cast<Rights>(load_le<std::uint32_t>(token.data() + kTokenRights) & 3U);
  return fields;
}

}  // namespace hawser::engine
