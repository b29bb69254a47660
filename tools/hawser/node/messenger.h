// Messages between two nodes, over the link of a GPU.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include <hawser/engine.h>

#include "base/clock.h"
#include "base/result.h"
#include "node/board.h"
#include "node/message.h"
#include "side/link_memory.h"

namespace hawser::node {

// How waits on a link end: with the transfer, when the run is called off, when nothing has moved on
// the link for the timeout, and, if `heeds_stop`, when the run is stopped. A value.
struct LinkWait {
  Link link;
  Board* board = nullptr;
  Milliseconds timeout{0};
  bool heeds_stop = false;

  Status wait(const Transfer& transfer, std::string_view what) const;
};

// Says and hears messages of its own tags, which are so small that the engine carries them in its
// own frames: no channel counts them as payload. Used by one thread at a time. Its link is closed
// before it goes.
class Messenger {
 public:
  static Result<std::unique_ptr<Messenger>> open(Engine& engine, LinkWait link_wait);

  LinkWait& link_wait() { return link_wait_; }

  // Does not wait for the peer, but for earlier messages where there are many.
  Status say(Tag tag, const Message& message);
  // Until all that was said has been heard.
  Status flush();
  // Whether that is so already; never waits.
  bool all_heard() const;
  Result<Message> hear(Tag tag, std::size_t bytes, std::string_view what);
  // The same in two steps, of which the second is for when the transfer is done: one at a time.
  Transfer begin_hearing(Tag tag, std::size_t bytes);
  Result<Message> heard(const Transfer& transfer, std::string_view what) const;
  // The next message, which must be a T. A Refuse is Code::peer with its reason.
  template <class T>
  Result<T> expect(Tag tag, std::string_view what) {
    const Transfer transfer = begin_hearing(tag, encoded_bytes(T()));
    HAWSER_TRY(link_wait_.wait(transfer, what));
    return heard<T>(transfer, what);
  }
  template <class T>
  Result<T> heard(const Transfer& transfer, std::string_view what) const {
    HAWSER_ASSIGN(Message message, heard(transfer, what));
    if (T* const wanted = std::get_if<T>(&message)) return std::move(*wanted);
    return unexpected(message, what);
  }
  // Without a byte, either way: nobody closes what the other still reads.
  Status part();

 private:
  static constexpr std::size_t kOutSlots = kPageBytes / kSettingBytes - 1;
  static constexpr std::size_t kInOffset = kOutSlots * kSettingBytes;

  Status settle(std::optional<Transfer>& said);

  Messenger(LinkMemory memory, LinkWait link_wait)
      : memory_(std::move(memory)), link_wait_(std::move(link_wait)) {}
  static Error unexpected(const Message& heard, std::string_view what);

  LinkMemory memory_;  // the slots of what is said, and one for what is heard
  LinkWait link_wait_;
  std::array<std::optional<Transfer>, kOutSlots> said_;
  std::size_t next_ = 0;
};

}  // namespace hawser::node
