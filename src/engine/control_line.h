// The control connection of a link: set-up, liveness, and news of channels where no channel is
// left.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "control/line.h"
#include "engine/wire.h"

namespace hawser::engine {

// The engine's frames, as control::Line wants them.
extern const control::Protocol kControlProtocol;

// A control::Line that speaks records, and as thread-safe.
class ControlLine {
 public:
  explicit ControlLine(std::unique_ptr<control::Line> line) : line_(std::move(line)) {}

  int fd() const { return line_->fd(); }
  const std::string& peer() const { return line_->peer(); }
  TimePoint heard_at() const { return line_->heard_at(); }

  // What cannot be sent at once waits, for flush(); a line that is broken says so when it is read,
  // and one that nobody reads is silent, too.
  void send(const wire::Record& record);
  void flush() { line_->flush(); }
  bool wants_to_write() const { return line_->wants_to_write(); }

  // Reads what is there, and gives each record to `take`, which may refuse it. An error ends the
  // line: the peer closed it, or sent what no hawser sends.
  Status read(const std::function<Status(const wire::Record&)>& take);
  // Of a link that has ended, in the thread that reads: the peer gets what has been said, as far as
  // that goes at once, and the descriptor goes. What is sent afterwards is left out.
  void end() { line_->end(); }
  control::Line& line() { return *line_; }

 private:
  const std::unique_ptr<control::Line> line_;
};

// A frame of one record.
std::vector<std::byte> frame_of(const wire::Record& record);
// Gives each record of a frame to `take`.
Status read_records(std::span<const std::byte> frame,
                    const std::function<Status(const wire::Record&)>& take);

}  // namespace hawser::engine
