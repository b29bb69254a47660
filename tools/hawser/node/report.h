// The two forms of a node's report.
#pragma once

#include <string>

#include "node/accounts.h"
#include "node/outcome.h"

namespace hawser::node {

// Every GPU passed, on both sides, all that was asked for was done, and the accounts agree.
bool passed(const NodeOutcome& outcome, const Accounts& accounts);
RunStatus status_of(const NodeOutcome& outcome, const Accounts& accounts);

std::string table_of(const NodeOutcome& outcome, const Accounts& accounts);
std::string json_of(const NodeOutcome& outcome, const Accounts& accounts);

const char* role_name(Role role);
const char* channel_state_name(ChannelState state);

// From the first GPU's start to the last one's end.
double seconds_of(const NodeOutcome& outcome);
// 10^9 bytes per second; 0 in no time.
double gigabytes_per_second(std::uint64_t bytes, double seconds);
LaneCount sum_sent(const NodeOutcome& outcome);
LaneCount sum_received(const NodeOutcome& outcome);

}  // namespace hawser::node
