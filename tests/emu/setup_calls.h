// Which threads are in listen, connect or accept: the real plugin has no lock there.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "place.h"
#include "report.h"
#include "stats.h"

namespace emu {

// By GPU (all host memory counts as one). Two threads at once are a violation, which is told once
// a GPU and counted each time; it costs the GPU's first comm its pool (see import). Thread-safe.
class SetupCalls {
 public:
  SetupCalls(std::chrono::milliseconds import_time, Report& report, Stats& stats)
      : import_time_(import_time), report_(report), stats_(stats) {}

  // The calling thread is in `call`, for as long as this lives.
  class Inside {
   public:
    Inside(SetupCalls& calls, const Place& place, const char* call);
    ~Inside() { calls_.leave(key_, mine_); }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

   private:
    SetupCalls& calls_;
    const CudaContext key_;
    const std::uint64_t mine_;
  };

  // The end of an accept: brings the GPU's pool in, if nobody has, which takes its time. False: two
  // threads have been at it, the pool came in twice, and the caller has the address of the first,
  // which is gone.
  [[nodiscard]] bool import(const Place& place);

 private:
  struct Caller {
    std::uint64_t number;
    std::string text;  // "'hw-ch1' in accept"
  };
  struct Gpu {
    std::vector<Caller> inside;
    bool told = false;   // of the violation
    bool raced = false;  // before the pool was there
    bool importing = false;
    bool imported = false;
  };
  std::uint64_t enter(const Place& place, const char* call);
  void leave(CudaContext key, std::uint64_t number);
  void overlap(Gpu& gpu, const Place& place, const Caller& other, const Caller& caller);

  const std::chrono::milliseconds import_time_;
  Report& report_;
  Stats& stats_;
  std::mutex mutex_;
  std::uint64_t next_ = 0;           // under mutex_
  std::map<CudaContext, Gpu> gpus_;  // under mutex_
};

}  // namespace emu
