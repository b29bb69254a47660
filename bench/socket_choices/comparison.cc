#include "socket_choices/comparison.h"

namespace hawser::bench {
namespace {

double figure(const Timing& timing, Traffic traffic) {
  if (traffic == Traffic::ping_pong) return static_cast<double>(timing.half_rtt_ns) / 1000;
  return static_cast<double>(timing.bytes) / static_cast<double>(timing.elapsed_ns);
}

double cpu_per_byte(const Timing& timing) {
  return static_cast<double>(timing.cpu_ns) / static_cast<double>(timing.bytes);
}

template <class Figure>
std::vector<double> of_each(const std::vector<Pair>& pairs, Figure&& figure_of) {
  std::vector<double> figures;
  for (const Pair& pair : pairs) figures.push_back(figure_of(pair));
  return figures;
}

}  // namespace

const char* state_name(State state) {
  switch (state) {
    case State::measured:
      return "measured";
    case State::refused:
      return "refused";
    case State::not_built:
      return "not built";
  }
  return "?";
}

std::vector<double> Comparison::variant_figures() const {
  return of_each(pairs, [&](const Pair& pair) { return figure(pair.variant, variant.traffic); });
}

std::vector<double> Comparison::baseline_figures() const {
  return of_each(pairs, [&](const Pair& pair) { return figure(pair.baseline, variant.traffic); });
}

std::vector<double> Comparison::ratios() const {
  return of_each(pairs, [&](const Pair& pair) {
    return figure(pair.variant, variant.traffic) / figure(pair.baseline, variant.traffic);
  });
}

std::vector<double> Comparison::cpu_ratios() const {
  return of_each(pairs, [](const Pair& pair) {
    return cpu_per_byte(pair.variant) / cpu_per_byte(pair.baseline);
  });
}

}  // namespace hawser::bench
