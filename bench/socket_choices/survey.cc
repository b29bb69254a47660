#include "socket_choices/survey.h"

#include <fmt/core.h>

#include "perf/sizes.h"
#include "socket_choices/mover.h"
#include "socket_choices/sampler.h"
#include "socket_choices/variants.h"

namespace hawser::bench {
namespace {

// The comparison that is being made, and the pace of its two sides.
struct Work {
  Comparison comparison;
  std::uint32_t index = 0;  // of the variant
  std::uint64_t messages = 0;
  std::uint64_t baseline_messages = 0;
};

class Surveyor {
 public:
  Surveyor(const Plan& plan, Control& control, const Progress& progress)
      : plan_(plan),
        progress_(progress),
        sampler_(control, plan.timeout, plan.duration_ms),
        work_(list()) {}

  Findings run() {
    Status status;
    for (int repeat = 0; repeat < plan_.repeats && status.ok(); ++repeat) status = round(repeat);
    Findings findings;
    if (!status.ok()) findings.error = status.error().message();
    for (Work& work : work_) findings.comparisons.push_back(std::move(work.comparison));
    return findings;
  }

 private:
  std::uint32_t count() const { return static_cast<std::uint32_t>(plan_.variants.size() - 2); }
  std::uint32_t baseline_of(Traffic traffic) const {
    return traffic == Traffic::stream ? count() : count() + 1;
  }

  std::vector<Work> list() const {
    std::vector<Work> list;
    for (std::uint32_t i = 0; i < count(); ++i) {
      const Variant& variant = plan_.variants[i];
      if (variant.traffic == Traffic::ping_pong) {
        list.push_back(make(i, kPingPongBytes));
        continue;
      }
      for (const std::uint64_t bytes : plan_.stream_sizes)
        if (variant.applies_to(bytes)) list.push_back(make(i, bytes));
    }
    return list;
  }

  Work make(std::uint32_t index, std::size_t message_bytes) const {
    Work work;
    work.index = index;
    work.comparison.variant = plan_.variants[index];
    work.comparison.message_bytes = message_bytes;
    if (work.comparison.variant.calls == Calls::uring && !uring_is_built()) {
      work.comparison.state = State::not_built;
      work.comparison.reason = "liburing was not there when this program was configured";
    }
    return work;
  }

  Status round(int repeat) {
    for (Work& work : work_) {
      if (work.comparison.state != State::measured) continue;
      if (progress_)
        progress_(fmt::format("repeat {} of {}: {}, {}", repeat + 1, plan_.repeats,
                              work.comparison.variant.name,
                              size_text(work.comparison.message_bytes)));
      HAWSER_TRY(take_pair(work, repeat % 2 == 0));
    }
    return {};
  }

  // A refusal is a finding, not an error.
  Status take_pair(Work& work, bool baseline_first) {
    Pair pair;
    if (baseline_first) HAWSER_TRY(take_baseline(work, pair.baseline));
    const auto sample = sampler_.take(work.comparison.variant, work.index,
                                      work.comparison.message_bytes, work.messages);
    if (!sample.ok() && sample.error().code() == Code::unavailable) {
      work.comparison.state = State::refused;
      work.comparison.reason = sample.error().message();
      return {};
    }
    if (!sample.ok()) return sample.error().within("measuring " + work.comparison.variant.name);
    if (!baseline_first) HAWSER_TRY(take_baseline(work, pair.baseline));
    pair.variant = sample->timing;
    work.comparison.note = sample->note;
    work.comparison.pairs.push_back(pair);
    return {};
  }

  Status take_baseline(Work& work, Timing& timing) {
    const std::uint32_t index = baseline_of(work.comparison.variant.traffic);
    const auto sample = sampler_.take(plan_.variants[index], index, work.comparison.message_bytes,
                                      work.baseline_messages);
    if (!sample.ok())
      return Error(sample.error().code(), "measuring the baseline: " + sample.error().message());
    timing = sample->timing;
    return {};
  }

  const Plan& plan_;
  const Progress& progress_;
  Sampler sampler_;
  std::vector<Work> work_;
};

}  // namespace

void add_baselines(std::vector<Variant>& variants, const std::string& congestion) {
  variants.push_back(baseline(Traffic::stream, congestion));
  variants.push_back(baseline(Traffic::ping_pong, congestion));
}

Findings survey(const Plan& plan, Control& control, const Progress& progress) {
  return Surveyor(plan, control, progress).run();
}

}  // namespace hawser::bench
