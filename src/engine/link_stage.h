// How far a link is: from its first channel to its end.
#pragma once

#include <optional>
#include <utility>

#include "base/clock.h"
#include "base/result.h"

namespace hawser::engine {

// Steps go one way only:
//
//   connecting --> up here ---.                      .--> peer closes --.
//        |                     >--> both --> up ----<                    >--> ending --> finishing
//        --> ended
//        `-------> up there --'                      `------------------'
//
// Until it is up it may end at any time, too. Guarded by its link's mutex.
class LinkStage {
 public:
  // ---- questions ----
  // Not up yet, and not ending.
  bool coming_up() const { return at_ < At::up; }
  // Data moves; where the peer closes, it is heard to its end.
  bool up() const { return at_ == At::up || at_ == At::peer_closes; }
  bool peer_closes() const { return at_ == At::peer_closes; }
  // Its channels are being closed, or have been.
  bool ending() const { return at_ >= At::ending; }
  bool ended() const { return at_ == At::ended; }
  // Why it ends, or why the peer closes it; of one that does.
  const Error& why() const { return *why_; }
  // When the last words of a peer that closes have had their time.
  bool last_words_over(TimePoint now) const { return now > last_words_until_; }

  // ---- steps: false where the step is none ----
  // This side has channels; the peer is to be told, once.
  bool come_up_here() {
    if (at_ == At::connecting) return go(At::up_here);
    return at_ == At::up_there && go(At::both);
  }
  bool come_up_there() {
    if (at_ == At::connecting) return go(At::up_there);
    return at_ == At::up_here && go(At::both);
  }
  bool go_up() { return at_ == At::both && go(At::up); }
  bool peer_begins_to_close(Error why, TimePoint last_words_until) {
    if (at_ != At::up) return false;
    why_ = std::move(why);
    last_words_until_ = last_words_until;
    return go(At::peer_closes);
  }
  bool begin_to_end(Error why) {
    if (ending()) return false;
    why_ = std::move(why);
    return go(At::ending);
  }
  // No channel is left: who gets true ends the operations, and then the link.
  bool begin_to_finish() { return at_ == At::ending && go(At::finishing); }
  // Who got true could not: somebody tries again.
  void put_off_finish() { at_ = At::ending; }
  bool end() { return at_ == At::finishing && go(At::ended); }

 private:
  enum class At { connecting, up_here, up_there, both, up, peer_closes, ending, finishing, ended };

  bool go(At next) {
    at_ = next;
    return true;
  }

  At at_ = At::connecting;
  std::optional<Error> why_;
  TimePoint last_words_until_{};
};

}  // namespace hawser::engine
