// Transfers as C asks for them.
#include <cstddef>
#include <span>

#include "c/handles.h"
#include "c/options.h"

using namespace hawser::capi;
using hawser::Block;
using hawser::Code;
using hawser::Error;
using hawser::Extent;
using hawser::Link;
using hawser::Region;
using hawser::RemoteRegion;
using hawser::Status;
using hawser::Transfer;
using hawser::TransferOptions;

// A batch is handed on where it lies: a million blocks are not copied. That the two languages mean
// the same by it is checked here.
static_assert(sizeof(hawser_block_t) == sizeof(Block) && alignof(hawser_block_t) == alignof(Block));
static_assert(offsetof(hawser_block_t, local_offset) == offsetof(Block, local_offset));
static_assert(offsetof(hawser_block_t, remote_offset) == offsetof(Block, remote_offset));
static_assert(offsetof(hawser_block_t, bytes) == offsetof(Block, bytes));
static_assert(sizeof(hawser_extent_t) == sizeof(Extent) &&
              alignof(hawser_extent_t) == alignof(Extent));
static_assert(offsetof(hawser_extent_t, offset) == offsetof(Extent, offset));
static_assert(offsetof(hawser_extent_t, bytes) == offsetof(Extent, bytes));

namespace {

// What all transfers have in common, as it was given.
struct Asked {
  hawser_link_t* link;
  hawser_region_t* local;
  const hawser_transfer_options_t* options;
  bool has_pieces = true;  // false: there should be some, at null
};

bool are_there(const void* pieces, std::size_t count) {
  return pieces != nullptr || count == 0;
}

std::span<const Block> span_of(const hawser_block_t* blocks, std::size_t count) {
  return {reinterpret_cast<const Block*>(blocks), count};
}

std::span<const Extent> span_of(const hawser_extent_t* extents, std::size_t count) {
  return {reinterpret_cast<const Extent*>(extents), count};
}

// `begin` (const Link&, const Region&, const TransferOptions& -> Transfer) is called where what was
// asked makes sense.
template <class Begin>
Status begin_transfer(const Asked& asked, Transfer& transfer, Begin&& begin) {
  if (asked.link == nullptr || asked.local == nullptr)
    return Error(Code::invalid_argument, "no link or no local region: a null handle");
  if (!asked.has_pieces) return Error(Code::invalid_argument, "blocks or extents at null");
  const auto options = read_options(asked.options);
  if (!options.ok()) return options.error();
  transfer = begin(asked.link->link, asked.local->region, *options);
  return {};
}

// The same, with a const RemoteRegion& more.
template <class Begin>
hawser_status_t one_sided(const Asked& asked, const hawser_remote_region_t* remote,
                          hawser_transfer_t** transfer, Begin&& begin) {
  return make_handle(transfer, [&](hawser_transfer_t& handle) -> Status {
    if (remote == nullptr) return Error(Code::invalid_argument, "no remote region: null");
    const auto region = RemoteRegion::from_token(std::as_bytes(std::span(remote->token)));
    if (!region.ok()) return region.error();
    return begin_transfer(asked, handle.transfer,
                          [&](const Link& to, const Region& from, const TransferOptions& how) {
                            return begin(to, from, *region, how);
                          });
  });
}

template <class Begin>
hawser_status_t two_sided(const Asked& asked, hawser_transfer_t** transfer, Begin&& begin) {
  return make_handle(transfer, [&](hawser_transfer_t& handle) {
    return begin_transfer(asked, handle.transfer, begin);
  });
}

}  // namespace

hawser_status_t hawser_link_write(hawser_link_t* link, hawser_region_t* local,
                                  uint64_t local_offset, const hawser_remote_region_t* remote,
                                  uint64_t remote_offset, uint64_t bytes,
                                  const hawser_transfer_options_t* options,
                                  hawser_transfer_t** transfer) {
  return one_sided({link, local, options}, remote, transfer,
                   [&](const Link& on, const Region& here, const RemoteRegion& there,
                       const TransferOptions& how) {
                     return on.write(here.span(local_offset, bytes), there.at(remote_offset), how);
                   });
}

hawser_status_t hawser_link_write_blocks(hawser_link_t* link, hawser_region_t* local,
                                         const hawser_remote_region_t* remote,
                                         const hawser_block_t* blocks, size_t count,
                                         const hawser_transfer_options_t* options,
                                         hawser_transfer_t** transfer) {
  return one_sided({link, local, options, are_there(blocks, count)}, remote, transfer,
                   [&](const Link& on, const Region& here, const RemoteRegion& there,
                       const TransferOptions& how) {
                     return on.write(here, there, span_of(blocks, count), how);
                   });
}

hawser_status_t hawser_link_read(hawser_link_t* link, hawser_region_t* local, uint64_t local_offset,
                                 const hawser_remote_region_t* remote, uint64_t remote_offset,
                                 uint64_t bytes, const hawser_transfer_options_t* options,
                                 hawser_transfer_t** transfer) {
  return one_sided({link, local, options}, remote, transfer,
                   [&](const Link& on, const Region& here, const RemoteRegion& there,
                       const TransferOptions& how) {
                     return on.read(here.span(local_offset, bytes), there.at(remote_offset), how);
                   });
}

hawser_status_t hawser_link_read_blocks(hawser_link_t* link, hawser_region_t* local,
                                        const hawser_remote_region_t* remote,
                                        const hawser_block_t* blocks, size_t count,
                                        const hawser_transfer_options_t* options,
                                        hawser_transfer_t** transfer) {
  return one_sided({link, local, options, are_there(blocks, count)}, remote, transfer,
                   [&](const Link& on, const Region& here, const RemoteRegion& there,
                       const TransferOptions& how) {
                     return on.read(here, there, span_of(blocks, count), how);
                   });
}

hawser_status_t hawser_link_send(hawser_link_t* link, uint64_t tag, hawser_region_t* local,
                                 uint64_t offset, uint64_t bytes,
                                 const hawser_transfer_options_t* options,
                                 hawser_transfer_t** transfer) {
  return two_sided({link, local, options}, transfer,
                   [&](const Link& on, const Region& here, const TransferOptions& how) {
                     return on.send(tag, here.span(offset, bytes), how);
                   });
}

hawser_status_t hawser_link_send_extents(hawser_link_t* link, uint64_t tag, hawser_region_t* local,
                                         const hawser_extent_t* extents, size_t count,
                                         const hawser_transfer_options_t* options,
                                         hawser_transfer_t** transfer) {
  return two_sided({link, local, options, are_there(extents, count)}, transfer,
                   [&](const Link& on, const Region& here, const TransferOptions& how) {
                     return on.send(tag, here, span_of(extents, count), how);
                   });
}

hawser_status_t hawser_link_recv(hawser_link_t* link, uint64_t tag, hawser_region_t* local,
                                 uint64_t offset, uint64_t bytes,
                                 const hawser_transfer_options_t* options,
                                 hawser_transfer_t** transfer) {
  return two_sided({link, local, options}, transfer,
                   [&](const Link& on, const Region& here, const TransferOptions& how) {
                     return on.recv(tag, here.span(offset, bytes), how);
                   });
}

hawser_status_t hawser_link_recv_extents(hawser_link_t* link, uint64_t tag, hawser_region_t* local,
                                         const hawser_extent_t* extents, size_t count,
                                         const hawser_transfer_options_t* options,
                                         hawser_transfer_t** transfer) {
  return two_sided({link, local, options, are_there(extents, count)}, transfer,
                   [&](const Link& on, const Region& here, const TransferOptions& how) {
                     return on.recv(tag, here, span_of(extents, count), how);
                   });
}
