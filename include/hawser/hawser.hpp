// hawser for C++: engines, links, regions, transfers, and what they report. C has
// <hawser/hawser.h>.
#pragma once

#include <hawser/devices.h>
#include <hawser/engine.h>
#include <hawser/exit_cause.h>
#include <hawser/link.h>
#include <hawser/parameters.h>
#include <hawser/region.h>
#include <hawser/result.h>
#include <hawser/transfer.h>
#include <hawser/version.h>
