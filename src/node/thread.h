// Threads with a name.
#pragma once

#include <functional>
#include <string>
#include <thread>

#include "base/result.h"

namespace hawser::node {

// Code::system: there was no thread to be had. Of the name, 15 bytes are kept.
Result<std::thread> start_thread(const std::string& name, std::function<void()> work);

}  // namespace hawser::node
