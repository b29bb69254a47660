// Messages and their bytes. A message's fields are named once, in their order on the wire:
//
//   void fields(auto& io, codec::Of<Barrier> auto& barrier) {
//     io.number("id", barrier.id);
//   }
//
// and `io` is a Sizer, an Encoder or a Decoder. Integers and enums stand little-endian, as unsigned
// ones; nothing is aligned and nothing is padded. Limits are checked on decode only. The names are
// for error messages. All of it inlines: over a span of constant size, no check of a length is
// left.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/endian.h"
#include "base/result.h"
#include "base/text.h"

namespace hawser::codec {

// A message of this kind, const when it is written.
template <class M, class T>
concept Of = std::is_same_v<std::remove_const_t<M>, T>;

template <class T>
constexpr auto wire_integer() {
  if constexpr (std::is_enum_v<T>)
    return std::make_unsigned_t<std::underlying_type_t<T>>{};
  else
    return std::make_unsigned_t<T>{};
}
template <class T>
using WireInteger = decltype(wire_integer<T>());

// The length of a text or of a list.
using Count = std::uint16_t;

// Counts the bytes that an Encoder would write.
class Sizer {
 public:
  static constexpr bool kDecodes = false;
  constexpr std::size_t bytes() const { return bytes_; }

  template <class T, class... Limits>
  constexpr void number(const char*, const T&, Limits...) {
    bytes_ += sizeof(WireInteger<T>);
  }
  constexpr void flag(const char*, const bool&) { ++bytes_; }
  template <std::size_t N>
  constexpr void zeros() {
    bytes_ += N;
  }
  template <std::size_t N>
  constexpr void skip() {
    bytes_ += N;
  }
  template <std::size_t N>
  constexpr void array(const char*, const std::array<std::byte, N>&) {
    bytes_ += N;
  }
  void text(const char*, std::string_view value, std::size_t most, std::size_t = 0) {
    bytes_ += sizeof(Count) + printable_length(value, most);
  }
  template <class List>
  constexpr void list(const char*, const List&, std::size_t, std::size_t) {
    bytes_ += sizeof(Count);
  }
  constexpr void view(const char*, std::span<const std::byte> value, std::size_t, std::size_t) {
    bytes_ += value.size();
  }
  constexpr void rest(const char*, std::span<const std::byte> value, std::size_t) {
    bytes_ += value.size();
  }
  constexpr void bit(std::uint16_t, const bool&) {}

 private:
  std::size_t bytes_ = 0;
};

// Writes to where there are as many bytes as a Sizer counts. Texts are made printable, and cut
// between two characters where they are too long; other limits are the caller's to keep.
class Encoder {
 public:
  static constexpr bool kDecodes = false;
  explicit Encoder(std::byte* to) : to_(to) {}
  std::uint16_t flags() const { return flags_; }  // as bit() has collected them

  template <class T, class... Limits>
  void number(const char*, const T& value, Limits...) {
    store_le(take(sizeof(WireInteger<T>)), static_cast<WireInteger<T>>(value));
  }
  void flag(const char*, const bool& value) { *take(1) = std::byte{value}; }
  template <std::size_t N>
  void zeros() {
    std::memset(take(N), 0, N);
  }
  // What no version gives a meaning to, and nobody checks: zeros.
  template <std::size_t N>
  void skip() {
    zeros<N>();
  }
  template <std::size_t N>
  void array(const char*, const std::array<std::byte, N>& value) {
    std::memcpy(take(N), value.data(), N);
  }
  void text(const char*, std::string_view value, std::size_t most, std::size_t = 0) {
    std::byte* const count_at = take(sizeof(Count));
    const std::size_t bytes = copy_printable(value, most, to_);
    store_le(count_at, static_cast<Count>(bytes));
    to_ += bytes;
  }
  // How many there are; the items' fields follow wherever they are named.
  template <class List>
  void list(const char*, const List& value, std::size_t, std::size_t) {
    store_le(take(sizeof(Count)), static_cast<Count>(value.size()));
  }
  // Bytes of a length that the message gives elsewhere.
  void view(const char*, std::span<const std::byte> value, std::size_t, std::size_t) {
    std::copy(value.begin(), value.end(), take(value.size()));
  }
  // Bytes to the end of the message.
  void rest(const char* field, std::span<const std::byte> value, std::size_t most) {
    view(field, value, value.size(), most);
  }
  // A bit of the flags that stand apart, in a header.
  void bit(std::uint16_t mask, const bool& value) {
    if (value) flags_ = static_cast<std::uint16_t>(flags_ | mask);
  }

 private:
  std::byte* take(std::size_t bytes) { return std::exchange(to_, to_ + bytes); }

  std::byte* to_;
  std::uint16_t flags_ = 0;
};

// What a Decoder does with texts that are not printable: its sender did not make them so.
enum class WildText { refuse, replace };

// Reads one message and keeps the first thing that is wrong with it; fields keep their values from
// then on. Views that it gives out lie in the bytes.
class Decoder {
 public:
  static constexpr bool kDecodes = true;
  Decoder(const char* message, std::span<const std::byte> bytes, std::uint16_t flags = 0,
          WildText wild = WildText::refuse)
      : message_(message), bytes_(bytes.size()), left_(bytes), flags_(flags), wild_(wild) {}

  template <class T>
  void number(const char* field, T& value) {
    using U = WireInteger<T>;
    if (const std::byte* const at = take(field, sizeof(U))) value = static_cast<T>(load_le<U>(at));
  }
  template <class T>
  void number(const char* field, T& value, std::type_identity_t<T> min,
              std::type_identity_t<T> max);
  void flag(const char* field, bool& value) {
    std::uint8_t byte = value;
    number(field, byte, 0, 1);
    value = byte == 1;
  }
  template <std::size_t N>
  void zeros() {
    constexpr std::array<std::byte, N> kZeros{};  // a few words' comparison, no loop of bytes
    const std::byte* const at = take("reserved bytes", N);
    if (at != nullptr && std::memcmp(at, kZeros.data(), N) != 0)
      fail("whose reserved bytes are not zero");
  }
  template <std::size_t N>
  void skip() {
    take("reserved bytes", N);
  }
  template <std::size_t N>
  void array(const char* field, std::array<std::byte, N>& value) {
    if (const std::byte* const at = take(field, N)) std::memcpy(value.data(), at, N);
  }
  void text(const char* field, std::string& value, std::size_t most, std::size_t least = 0);
  // Not to be replaced, since it is not ours.
  void text(const char* field, std::string_view& value, std::size_t most, std::size_t least = 0);
  template <class List>
  void list(const char* field, List& value, std::size_t min, std::size_t max) {
    Count count = 0;
    number(field, count, static_cast<Count>(min), static_cast<Count>(max));
    value.resize(count);
  }
  void view(const char* field, std::span<const std::byte>& value, std::size_t bytes,
            std::size_t most) {
    if (bytes > most) return fail_length(field, bytes, most);
    if (const std::byte* const at = take(field, bytes)) value = {at, bytes};
  }
  void rest(const char* field, std::span<const std::byte>& value, std::size_t most) {
    view(field, value, left_.size(), most);
  }
  void bit(std::uint16_t mask, bool& value) {
    known_ = static_cast<std::uint16_t>(known_ | mask);
    value = (flags_ & mask) != 0;
  }

  // "a Hello" goes in front of `problem`.
  void fail(std::string_view problem);
  bool good() const { return !error_; }
  // What no field has taken.
  std::span<const std::byte> left() const { return left_; }
  // All bytes must have been taken, and no other flag be set.
  const std::optional<Error>& finish() {
    if (!left_.empty() || (flags_ & ~known_) != 0) fail_end();
    return error_;
  }

 private:
  const std::byte* take(const char* field, std::size_t bytes) {
    if (left_.size() < bytes) {
      fail_short(field);
      return nullptr;
    }
    const std::byte* const at = left_.data();
    left_ = left_.subspan(bytes);
    return at;
  }
  [[gnu::cold]] void fail_short(const char* field);
  [[gnu::cold]] void fail_length(const char* field, std::size_t bytes, std::size_t most);
  [[gnu::cold]] void fail_range(const char* field, std::uint64_t value, std::uint64_t min,
                                std::uint64_t max);
  [[gnu::cold]] void fail_end();
  std::string_view raw_text(const char* field, std::size_t most, std::size_t least);

  const char* message_;
  std::size_t bytes_;
  std::span<const std::byte> left_;  // empty once something is wrong
  std::uint16_t flags_;
  std::uint16_t known_ = 0;
  WildText wild_;
  std::optional<Error> error_;
};

template <class T>
void Decoder::number(const char* field, T& value, std::type_identity_t<T> min,
                     std::type_identity_t<T> max) {
  using U = WireInteger<T>;
  const std::byte* const at = take(field, sizeof(U));
  if (at == nullptr) return;
  const U number = load_le<U>(at);
  if (number < static_cast<U>(min) || number > static_cast<U>(max))
    return fail_range(field, number, static_cast<U>(min), static_cast<U>(max));
  value = static_cast<T>(number);
}

// Makes `variant` its alternative of that index, as it is at first, and gives it to `read`.
template <class Variant, class Read>
void read_alternative(Variant& variant, std::size_t index, Read&& read) {
  constexpr auto kReaders = []<std::size_t... I>(std::index_sequence<I...>) {
    return std::array<void (*)(Variant&, Read&), sizeof...(I)>{
        [](Variant& into, Read& reader) { reader(into.template emplace<I>()); }...};
  }
  (std::make_index_sequence<std::variant_size_v<Variant>>());
  kReaders[index](variant, read);
}

}  // namespace hawser::codec

// What a message without texts takes: for static_asserts, where its fields() is constexpr and seen.
#define HAWSER_CODEC_BYTES(Message) \
  ([] {                             \
    const Message message{};        \
    ::hawser::codec::Sizer size;    \
    fields(size, message);          \
    return size.bytes();            \
  }())
