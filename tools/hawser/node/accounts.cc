#include "node/accounts.h"

#include <fmt/core.h>

#include <algorithm>

namespace hawser::node {
namespace {

void enter(Account& account, const ChannelReport& channel) {
  account.moved += balance_of(channel);
  account.sent_again += channel.bytes_sent_again;
  account.failures += channel.failures;
  ++account.channels;
  if (channel.state == ChannelState::up) ++account.channels_up;
}

Account& nic_account(std::vector<Account>& nics, const std::string& name) {
  auto at =
      std::lower_bound(nics.begin(), nics.end(), name,
                       [](const Account& one, const std::string& it) { return one.name < it; });
  if (at == nics.end() || at->name != name) {
    at = nics.insert(at, Account());
    at->name = name;
  }
  return *at;
}

std::string balance_text(const Balance& balance) {
  return fmt::format("{} sent and {} received", balance.sent, balance.received);
}

std::string gpu_difference(const GpuOutcome& gpu, const Balance& channels) {
  const Volume& program = gpu.volume;
  const Balance known{program.sent, program.received};
  if (gpu.exact)
    return channels == known ? ""
                             : fmt::format("GPU {}: {} bytes on its channels, {} in the program",
                                           gpu.gpu, balance_text(channels), balance_text(known));
  const bool possible = channels.sent >= known.sent && channels.sent <= program.asked &&
                        channels.received >= known.received;
  return possible ? ""
                  : fmt::format(
                        "GPU {}: {} bytes on its channels, though {} are known to be "
                        "done and {} were to be sent",
                        gpu.gpu, balance_text(channels), balance_text(known), program.asked);
}

Balance sum(const std::vector<Account>& accounts) {
  Balance all;
  for (const Account& account : accounts) all += account.moved;
  return all;
}

}  // namespace

Balance balance_of(const ChannelReport& channel) {
  return {channel.bytes_sent, channel.bytes_received};
}

Account account_of(const GpuOutcome& gpu) {
  Account account;
  account.name = fmt::format("GPU {}", gpu.gpu);
  for (const ChannelReport& channel : gpu.link.channels) enter(account, channel);
  return account;
}

Accounts keep_accounts(const NodeOutcome& outcome) {
  Accounts books;
  books.total.name = "total";
  for (const GpuOutcome& gpu : outcome.gpus) {
    books.gpus.push_back(account_of(gpu));
    books.program += {gpu.volume.sent, gpu.volume.received};
    for (const ChannelReport& channel : gpu.link.channels) {
      enter(nic_account(books.nics, channel.device), channel);
      enter(books.total, channel);
    }
    books.exact = books.exact && (gpu.exact || gpu.link.channels.empty());
    if (books.difference.empty()) books.difference = gpu_difference(gpu, books.gpus.back().moved);
  }
  if (sum(books.gpus) != books.total.moved || sum(books.nics) != books.total.moved)
    books.difference = fmt::format("{} bytes on all channels, {} on the NICs, {} of the GPUs",
                                   balance_text(books.total.moved), balance_text(sum(books.nics)),
                                   balance_text(sum(books.gpus)));
  books.agree = books.difference.empty();
  return books;
}

bool balanced(const LinkReport& link, const Volume& program) {
  Balance channels;
  for (const ChannelReport& channel : link.channels) channels += balance_of(channel);
  return channels == Balance{program.sent, program.received};
}

}  // namespace hawser::node
