#include "node/thread.h"

#include <pthread.h>

#include <system_error>

namespace hawser::node {
namespace {

constexpr std::size_t kNameBytes = 15;  // what the kernel keeps

}  // namespace

Result<std::thread> start_thread(const std::string& name, std::function<void()> work) {
  try {
    std::thread thread(std::move(work));
    pthread_setname_np(thread.native_handle(), name.substr(0, kNameBytes).c_str());
    return thread;
  } catch (const std::system_error& error) {
    return system_error(error.code().value(), "starting a thread");
  }
}

}  // namespace hawser::node
