// nccl_pair: two NCCL ranks in ONE process, each on a physical copy of libnccl of its own, on one
// GPU, and connected by nothing but NCCL's network transport. Data is checked. See README.md.
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "host_id.h"
#include "libraries.h"
#include "rank.h"
#include "table.h"

namespace nccl_pair {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr int kMaxRepeats = 2000;
constexpr int kCalibrationRepeats = 3;

struct Options {
  std::string label = "run";
  std::string libraries[Rank::kRanks];
  std::size_t max_bytes = std::size_t{256} << 20;
  double seconds_each = 0.3;
};

// Where both ranks' threads meet. It spins, for a wake-up would be measured.
class Meeting {
 public:
  void meet() {
    const int round = round_.load();
    if (waiting_.fetch_add(1) + 1 == Rank::kRanks) {
      waiting_.store(0);
      round_.store(round + 1);
    } else {
      while (round_.load() == round) std::this_thread::yield();
    }
  }

  // Written by rank 0 before a meeting, read by both after it.
  int repeats = 0;

 private:
  std::atomic<int> waiting_{0};
  std::atomic<int> round_{0};
};

double seconds_of(const rusage& usage) {
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double cpu_seconds(int who) {
  rusage usage{};
  getrusage(who, &usage);
  return seconds_of(usage);
}

double time_of(Rank& rank, Meeting& meeting, Work work, std::size_t bytes, int repeats) {
  meeting.meet();
  const auto start = std::chrono::steady_clock::now();
  rank.run(work, bytes, repeats);
  meeting.meet();
  return Seconds(std::chrono::steady_clock::now() - start).count();
}

// The CPU time of all threads but the two that call NCCL: those only wait for the GPU.
class NetworkCpu {
 public:
  explicit NetworkCpu(std::atomic<double>& callers) : callers_(callers) {}
  void start() {
    process_ = cpu_seconds(RUSAGE_SELF);
    thread_ = cpu_seconds(RUSAGE_THREAD);
  }
  void add_caller() {
    const double used = cpu_seconds(RUSAGE_THREAD) - thread_;
    for (double old = callers_.load(); !callers_.compare_exchange_weak(old, old + used);) {
    }
  }
  double process() const { return cpu_seconds(RUSAGE_SELF) - process_; }

 private:
  std::atomic<double>& callers_;
  double process_ = 0;
  double thread_ = 0;
};

struct Shared {
  Meeting meeting;
  std::atomic<double> callers_cpu{0};
};

Sample make_sample(const Options& options, Work work, std::size_t bytes, int repeats,
                   double seconds, double cpu) {
  const int messages = work == Work::ping_pong ? 2 * repeats : repeats;
  // A way of traffic is `bytes` a repeat: in an all-reduce of two ranks, too.
  const double gigabytes = 1e-9 * static_cast<double>(bytes) * messages;
  const double ways = work == Work::bidirectional || work == Work::all_reduce ? 2 : 1;
  Sample sample;
  sample.label = options.label;
  sample.work = work_name(work);
  sample.bytes = bytes;
  sample.gigabytes_per_second = gigabytes / seconds;
  sample.microseconds = 1e6 * seconds / messages;
  sample.cpu_seconds_per_gigabyte = cpu / (gigabytes * ways);
  return sample;
}

int repeats_for(double seconds_each, double calibration_seconds) {
  const double one = calibration_seconds / kCalibrationRepeats;
  return std::clamp(static_cast<int>(seconds_each / std::max(one, 1e-6)), 5, kMaxRepeats);
}

// Data is checked before and after the timed part, outside of it.
void measure(Rank& rank, int index, Shared& shared, const Options& options, Work work,
             std::size_t bytes) {
  rank.prepare(work, bytes);
  const double calibration = time_of(rank, shared.meeting, work, bytes, kCalibrationRepeats);
  rank.check(work, bytes);
  if (index == 0) {
    shared.meeting.repeats = repeats_for(options.seconds_each, calibration);
    shared.callers_cpu = 0;
  }
  rank.prepare(work, bytes);
  shared.meeting.meet();
  const int repeats = shared.meeting.repeats;
  NetworkCpu cpu(shared.callers_cpu);
  cpu.start();
  const double seconds = time_of(rank, shared.meeting, work, bytes, repeats);
  cpu.add_caller();
  const double process = cpu.process();
  shared.meeting.meet();
  if (index == 0)
    print_sample(make_sample(options, work, bytes, repeats, seconds,
                             std::max(0.0, process - shared.callers_cpu.load())));
  rank.check(work, bytes);
}

void measure_all(Rank& rank, int index, Shared& shared, const Options& options) {
  measure(rank, index, shared, options, Work::ping_pong, 8);
  measure(rank, index, shared, options, Work::ping_pong, 4096);
  for (const Work work : {Work::send_receive, Work::bidirectional, Work::all_reduce})
    for (std::size_t bytes = 8; bytes <= options.max_bytes; bytes *= bytes < 65536 ? 8192 : 4)
      measure(rank, index, shared, options, work, bytes);
}

void run(const Options& options) {
  const Cuda cuda;
  std::vector<std::unique_ptr<Nccl>> copies;
  for (int i = 0; i < Rank::kRanks; ++i) {
    copies.push_back(std::make_unique<Nccl>(options.libraries[i]));
    set_host_id(copies.back()->path, "nccl-pair-host-" + std::to_string(i));
  }
  int version = 0;
  copies[0]->get_version(&version);
  std::fprintf(stderr, "nccl_pair: %s: NCCL %d, two ranks on %s\n", options.label.c_str(), version,
               cuda.device_name().c_str());
  cuda.make_current();
  UniqueId id{};
  copies[0]->check(copies[0]->get_unique_id(&id), "ncclGetUniqueId");
  Shared shared;
  std::vector<std::thread> threads;
  for (int i = 0; i < Rank::kRanks; ++i)
    threads.emplace_back([&, i] {
      Rank rank(cuda, *copies[static_cast<std::size_t>(i)], id, i, options.max_bytes);
      measure_all(rank, i, shared, options);
      shared.meeting.meet();
    });
  for (auto& thread : threads) thread.join();
}

[[noreturn]] void usage() {
  fail(
      "usage: nccl_pair --label NAME --libraries COPY1 COPY2 [--max-bytes N] [--seconds-each S]\n"
      "       nccl_pair --table FILE   (the samples of several runs: medians and ratios)");
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const auto next = [&]() -> const char* { return ++i < argc ? argv[i] : (usage(), ""); };
    if (std::strcmp(argv[i], "--label") == 0) {
      options.label = next();
    } else if (std::strcmp(argv[i], "--libraries") == 0) {
      for (auto& library : options.libraries) library = next();
    } else if (std::strcmp(argv[i], "--max-bytes") == 0) {
      options.max_bytes = std::stoull(next());
    } else if (std::strcmp(argv[i], "--seconds-each") == 0) {
      options.seconds_each = std::stod(next());
    } else {
      usage();
    }
  }
  if (options.libraries[1].empty() || options.libraries[0] == options.libraries[1]) usage();
  return options;
}

}  // namespace
}  // namespace nccl_pair

int main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "--table") == 0) return nccl_pair::print_table(argv[2]);
  nccl_pair::run(nccl_pair::parse(argc, argv));
}
