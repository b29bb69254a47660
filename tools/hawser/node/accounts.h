// The books of a node: what each channel, NIC and GPU moved, and whether it adds up.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "node/outcome.h"

namespace hawser::node {

// In bytes of data: the node's messages are too small to count on a channel.
struct Balance {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  bool operator==(const Balance&) const = default;
  Balance& operator+=(const Balance& more) {
    sent += more.sent;
    received += more.received;
    return *this;
  }
};

// A line of the books.
struct Account {
  std::string name;  // "GPU 0", "eth1"
  Balance moved;
  std::uint64_t sent_again = 0;
  std::uint64_t failures = 0;  // of channels
  int channels = 0;
  int channels_up = 0;
};

Balance balance_of(const ChannelReport& channel);
// One line of all channels of a link.
Account account_of(const GpuOutcome& gpu);

struct Accounts {
  std::vector<Account> gpus;  // as in the outcome
  std::vector<Account> nics;  // of this side, by name, over all GPUs
  Account total;              // over all channels
  Balance program;            // what the program says it moved, over all GPUs
  bool exact = true;          // no link failed in the middle
  bool agree = true;
  std::string difference;  // where they do not: the first one found
};

// Where a link failed in the middle, nobody knows to the byte what was applied: its channels must
// then have moved at least what is known to have been, and send no more than was asked for.
Accounts keep_accounts(const NodeOutcome& outcome);

// Whether the link's books are those of the program, to the byte.
bool balanced(const LinkReport& link, const Volume& program);

}  // namespace hawser::node
