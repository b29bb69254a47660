// Everything one loaded copy of the emulator is: the calls of the v7 table, as methods.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "abi_v7.h"
#include "bounce_pool.h"
#include "connecting.h"
#include "creation_windows.h"
#include "devices.h"
#include "listen_comm.h"
#include "receive_comm.h"
#include "send_comm.h"
#include "services.h"
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

 private:
  Services services() { return {settings_, report_, stats_, *faults_}; }
  // Counts the call; kSuccess, or what to return because init has not succeeded.
  int enter(HawserEmuCall call);
  int start();
  int refuse_environment(const std::string& problem);
  Outcome fault(HawserEmuCall call, const CommInfo& info, FirstCall* first = nullptr);
  int shared(const CommInfo& info, const char* call);  // two threads in one comm

  int choose_place(Place& place);
  int listen_here(const CommInfo& info, void* handle, void** listen_comm);
  int find_connecting(int device, void* handle, std::shared_ptr<Connecting>& connecting);
  int begin_connecting(int device, void* handle, std::shared_ptr<Connecting>& connecting);
  int connect_step(Connecting& connecting, void** send_comm);
  int accept_step(ListenComm& comm, void** receive_comm, DeviceHandle& device_handle);
  BouncePool* pool_of(const Place& place);

  const CommInfo* find_info(void* comm, std::shared_ptr<void>& keep) const;
  int check_memory(const void* data, int bytes, int type, CudaContext& context);
  int register_memory(const CommInfo& info, void* data, int bytes, int type, void** out);
  int make_posting(const CommInfo& info, const char* call, void* data, int bytes,
                   void* registration, Posting& posting);
  int check_size(const CommInfo& info, const char* call, int bytes);
  int check_sigpipe();
  template <typename Comm>
  int test_on(Table<Comm>& table, HawserEmuCall call, void* request, int* done);

  std::atomic<bool> init_called_{false};
  std::atomic<bool> ready_{false};  // publishes what init made
  Settings settings_;
  Report report_;
  Stats stats_;
  std::unique_ptr<Faults> faults_;
  std::unique_ptr<Cuda> cuda_;  // nullptr: no usable driver
  std::vector<Device> devices_;

  std::atomic<int> listens_{0};
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
