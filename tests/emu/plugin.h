// Everything one loaded copy of the emulator is: the calls of the v7 table, as methods.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "abi_v7.h"
#include "bounce_pool.h"
#include "calls_in_progress.h"
#include "connecting.h"
#include "creation_windows.h"
#include "devices.h"
#include "gpu_nics.h"
#include "listen_comm.h"
#include "receive_comm.h"
#include "send_comm.h"
#include "services.h"
#include "setup_calls.h"
#include "tables.h"

namespace emu {

// Thread-safe, as TCPX is: each comm belongs to one thread at a time, and a second thread in
// it is a violation. All methods return a result code of abi_v7.h, and may throw bad_alloc.
class Plugin {
 public:
  int init(Logger logger);
  int devices(int* count);
  int get_properties(int device, Properties* properties);
  int listen(int device, void* handle, void** listen_comm);
  int connect(int device, void* handle, void** send_comm);
  int accept(void* listen_comm, void** receive_comm, DeviceHandle** device_handle);
  int reg_mr(void* comm, void* data, int bytes, int type, void** registration);
  int dereg_mr(void* comm, void* registration);
  int isend(void* comm, void* data, int bytes, void* registration, void** request);
  int irecv(void* comm, int count, void** data, int* bytes, void** registrations, void** request);
  int iflush();
  int test(void* request, int* done);
  int close_send(void* comm);
  int close_receive(void* comm);
  int close_listen(void* comm);
  int get_device_mr(void* comm);
  int irecv_consumed(void* comm, int count, void* request);

  void stats(HawserEmuStats& out) const;
  Report& report() { return report_; }
  CallsInProgress& calls() { return calls_; }

 private:
  Services services() { return {settings_, report_, stats_, *faults_, ending_}; }
  // Counts the call; kSuccess, or what to return because init has not succeeded.
  int enter(HawserEmuCall call);
  int start();
  int refuse_environment(const std::string& problem);
  Outcome fault(HawserEmuCall call, const CommInfo& info, FirstCall* first = nullptr);
  int shared(const CommInfo& info, const char* call);  // two threads in one comm

  int place_of_thread(const char* call, Place& place);
  int check_place(const char* call, const CommInfo& info, const Place& place);
  int listen_here(const CommInfo& info, void* handle, void** listen_comm);
  int find_connecting(int device, const Place& place, void* handle,
                      std::shared_ptr<Connecting>& connecting);
  int begin_connecting(int device, const Place& place, void* handle,
                       std::shared_ptr<Connecting>& connecting);
  int connect_step(Connecting& connecting, void** send_comm);
  int accept_step(ListenComm& comm, void** receive_comm, DeviceHandle& device_handle);
  int install_rule(ListenComm& comm, bool& installed);
  int make_receiver(ListenComm& comm, Socket socket, void** receive_comm,
                    DeviceHandle& device_handle);
  std::unique_ptr<UnpackMemory> make_unpack_memory(const Place& place, BouncePool& pool);
  BouncePool* pool_of(const Place& place);
  bool steered(const CommInfo& info) const;

  const CommInfo* find_info(void* comm, std::shared_ptr<void>& keep) const;
  int check_memory(const void* data, int bytes, int type);
  int export_memory(Registration& registration);
  int register_memory(const CommInfo& info, void* data, int bytes, int type, void** out);
  int make_posting(const CommInfo& info, const char* call, void* data, int bytes,
                   void* registration, Posting& posting);
  int check_size(const CommInfo& info, const char* call, int bytes);
  int check_sigpipe();
  void start_worker(const CommInfo& info);
  template <typename Comm>
  int test_on(Table<Comm>& table, HawserEmuCall call, void* request, int* done);

  std::atomic<bool> init_called_{false};
  std::atomic<bool> ready_{false};  // publishes what init made
  Settings settings_;
  Report report_;
  Stats stats_;
  CallsInProgress calls_;
  Ending ending_{calls_};
  std::unique_ptr<Faults> faults_;
  std::unique_ptr<Cuda> cuda_;  // nullptr: no usable driver
  std::vector<Device> devices_;
  GpuNics gpu_nics_;

  std::atomic<int> listens_{0};
  std::atomic<bool> gpus_seen_{false};  // a call came with a context
  std::unique_ptr<SetupCalls> setups_;
  CreationWindows windows_;
  ConnectingTable connecting_;
  Table<ListenComm> listeners_{Tag::listen_comm};
  Table<SendComm> senders_{Tag::send_comm};
  Table<ReceiveComm> receivers_{Tag::receive_comm};
  Table<Registration> registrations_{Tag::registration};

  std::mutex pools_mutex_;
  std::map<CudaContext, std::unique_ptr<BouncePool>> pools_;  // by context; nullptr: host
};

}  // namespace emu
