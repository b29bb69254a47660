#include "plugin/send_comm.h"

namespace hawser::plugin {

Result<PluginRequest*> PluginSendComm::send(const void* data, std::size_t bytes, int tag,
                                            Registration* registration) {
  if (requests_.empty()) return nullptr;
  HAWSER_ASSIGN(Request* const posted, comm_->try_send(data, bytes, tag, registration));
  if (posted == nullptr) return nullptr;
  PluginRequest* const request = requests_.take();
  *request = {this, posted, bytes};
  return request;
}

Result<bool> PluginSendComm::test(PluginRequest* request, int* sizes) {
  HAWSER_ASSIGN(const TestResult result, comm_->test(request->request));
  if (!result.done) return false;
  if (sizes != nullptr) *sizes = static_cast<int>(request->bytes);
  requests_.give_back(request);
  return true;
}

}  // namespace hawser::plugin
