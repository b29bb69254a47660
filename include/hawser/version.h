#pragma once

#include <hawser/export.h>

namespace hawser {

// "major.minor.patch". A static string; thread-safe.
HAWSER_API const char* version();

}  // namespace hawser
