// What ways of unpacking take.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "unpack/pool.h"
#include "perf/crew.h"

namespace hawser::bench {

// A way of moving all of a pool's receives; done on return.
struct Way {
  std::string name;
  std::function<Status()> run;
  bool moves_receives = true;  // and may be verified; else as many bytes in one piece
};

// All in turn, `repeats` times; each was verified before. Lines of text: the median, the spread,
// and the median of the turns' ratios to the last way, which is the yardstick.
Result<std::string> table(BouncePool& pool, const std::vector<Way>& ways, int repeats);

// Receives through an unpacker, `together` in each submit().
Way unpacking(const std::string& name, const std::shared_ptr<Unpacker>& unpacker,
              const BouncePool& pool, std::size_t together);
// The same by a crew, an unpacker and a part of them for each member.
Way unpacking_by_crew(const std::string& name, const std::shared_ptr<Crew>& crew,
                      const std::vector<std::shared_ptr<Unpacker>>& unpackers,
                      const BouncePool& pool, std::size_t together);

// From add() until the mark of one receive is seen to be finished: "least median p99", in µs.
Result<std::string> latency(Unpacker& unpacker, const BouncePool& pool, int samples);

}  // namespace hawser::bench
