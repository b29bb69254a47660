// Whether memory that a user names is there, asked of the kernel: nothing faults.
#pragma once

#include "base/result.h"
#include "memory/range.h"

namespace hawser {

enum class Access { read, write };

// Code::invalid_argument, with the address: a part of it is not mapped, or not for that. Of what
// begins and ends well it takes a few microseconds, however long it is: then only that there are
// mappings in between is known. Where the kernel does not tell, all is well.
Status check_registrable(const MemoryRange& range, Access access);
// The same of each page, for what is short: it takes as long as to touch them all.
Status check_writable(const MemoryRange& range);

// For what was found to be so by using it.
Error cannot_touch(const void* at, std::size_t bytes, Access access);

}  // namespace hawser
