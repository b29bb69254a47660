#include "plugin/receive_comm.h"

namespace hawser::plugin {

Result<PluginRequest*> PluginReceiveComm::receive(const ReceiveBuffer& buffer) {
  if (requests_.empty()) return nullptr;
  HAWSER_ASSIGN(Request* const posted,
                comm_->try_receive(buffer.data, buffer.bytes, buffer.tag, buffer.registration));
  if (posted == nullptr) return nullptr;
  PluginRequest* const request = requests_.take();
  *request = {this, posted, 0};
  return request;
}

Result<bool> PluginReceiveComm::test(PluginRequest* request, int* sizes) {
  HAWSER_ASSIGN(const TestResult result, comm_->test(request->request));
  if (!result.done) return false;
  if (sizes != nullptr) *sizes = static_cast<int>(result.bytes.value_or(0));
  requests_.give_back(request);
  return true;
}

}  // namespace hawser::plugin
