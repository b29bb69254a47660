// Sets of CPUs: where a thread may run, and lists of them as people write them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hawser {

std::vector<int> allowed_cpus();  // of the calling thread, sorted
// 0, or errno: none of them can be used, say.
int run_this_thread_on(const std::vector<int>& cpus);

// "0-3,8" -> 0 1 2 3 8; sorted, each once.
Result<std::vector<int>> parse_cpus(std::string_view text);
std::string cpus_text(const std::vector<int>& cpus);  // sorted -> "0-3,8"

}  // namespace hawser
