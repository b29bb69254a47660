// What of libhawser other programs may see.
#pragma once

#if defined(HAWSER_BUILDING)
#define HAWSER_API __attribute__((visibility("default")))
#else
#define HAWSER_API
#endif
