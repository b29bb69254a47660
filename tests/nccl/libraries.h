// The few functions of NCCL and of the CUDA driver that nccl_pair calls, looked up at run time: it
// builds on machines that have neither. Declared by hand from their documented C interfaces.
#pragma once

#include <cstddef>
#include <string>

namespace nccl_pair {

// Ends the program with a message: a measuring program has nothing to clean up.
[[noreturn]] void fail(const std::string& what);

// ncclUniqueId is passed by value, as a struct of this size.
struct UniqueId {
  char bytes[128];
};
using NcclComm = void*;
using CudaStream = void*;
using DevicePointer = unsigned long long;

enum NcclType : int { kNcclUint8 = 1, kNcclFloat32 = 7 };
inline constexpr int kNcclSum = 0;

// One copy of libnccl. Constant after construction; as thread-safe as NCCL.
struct Nccl {
  explicit Nccl(const std::string& file);

  std::string path;  // as the loader knows it
  int (*get_version)(int* version);
  int (*get_unique_id)(UniqueId* id);
  int (*comm_init_rank)(NcclComm* comm, int ranks, UniqueId id, int rank);
  int (*comm_destroy)(NcclComm comm);
  int (*group_start)();
  int (*group_end)();
  int (*send)(const void* data, std::size_t count, int type, int peer, NcclComm, CudaStream);
  int (*receive)(void* data, std::size_t count, int type, int peer, NcclComm, CudaStream);
  int (*all_reduce)(const void* from, void* to, std::size_t count, int type, int op, NcclComm,
                    CudaStream);
  const char* (*last_error)(NcclComm comm);

  void check(int result, const char* doing) const;  // fails unless it is ncclSuccess
};

// The CUDA driver with the primary context of device 0. Thread-safe.
class Cuda {
 public:
  Cuda();

  void make_current() const;
  DevicePointer allocate(std::size_t bytes) const;
  void free(DevicePointer memory) const;
  void upload(DevicePointer to, const void* from, std::size_t bytes) const;
  void download(void* to, DevicePointer from, std::size_t bytes) const;
  void clear(DevicePointer memory, std::size_t bytes) const;
  CudaStream make_stream() const;
  void wait(CudaStream stream) const;
  const std::string& device_name() const { return device_name_; }

 private:
  void check(int result, const char* doing) const;

  void* context_ = nullptr;
  std::string device_name_;
  int (*set_current_)(void* context);
  int (*allocate_)(DevicePointer* memory, std::size_t bytes);
  int (*free_)(DevicePointer memory);
  int (*upload_)(DevicePointer to, const void* from, std::size_t bytes);
  int (*download_)(void* to, DevicePointer from, std::size_t bytes);
  int (*fill_)(DevicePointer to, unsigned char value, std::size_t bytes);
  int (*make_stream_)(CudaStream* stream, unsigned flags);
  int (*wait_)(CudaStream stream);
  int (*error_name_)(int result, const char** name);
};

}  // namespace nccl_pair
