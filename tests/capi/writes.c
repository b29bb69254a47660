// One-sided transfers.
#include <string.h>

#include "support.h"

#define MEMORY_BYTES (3u << 20)
#define BLOCKS 1000
#define BLOCK_BYTES 1024

// Every second block from the end of one memory to the start of the other, in reverse.
static void make_blocks(hawser_block_t* blocks, int write) {
  for (size_t i = 0; i < BLOCKS; ++i) {
    const uint64_t near = i * BLOCK_BYTES;
    const uint64_t far = MEMORY_BYTES - (i + 1) * 2 * BLOCK_BYTES;
    blocks[i].local_offset = write ? near : far;
    blocks[i].remote_offset = write ? far : near;
    blocks[i].bytes = BLOCK_BYTES;
  }
}

static void single_write(pair_t* pair) {
  memory_t from = make_memory(&pair->here, MEMORY_BYTES, HAWSER_RIGHTS_NONE);
  memory_t to = make_memory(&pair->there, MEMORY_BYTES, HAWSER_RIGHTS_WRITE);
  const hawser_remote_region_t remote = remote_of(&to);
  hawser_transfer_options_t options;
  hawser_transfer_t* transfer;
  char text[HAWSER_MAX_NOTIFICATION_BYTES + 1];
  size_t bytes;
  fill(&from, 2);
  CHECK_OK(hawser_transfer_options_init(&options, sizeof options));
  options.notification = "it\0is";
  options.notification_bytes = 5;
  options.timeout_ms = PATIENCE_MS;
  CHECK_OK(hawser_link_write(pair->here.link, from.region, 100, &remote, 7, MEMORY_BYTES - 200,
                             &options, &transfer));
  CHECK(hawser_transfer_bytes(transfer) == MEMORY_BYTES - 200);
  CHECK_OK(hawser_transfer_wait(transfer, PATIENCE_MS));
  CHECK(hawser_transfer_done(transfer));
  CHECK_OK(hawser_transfer_result(transfer));
  CHECK(hawser_transfer_bytes_done(transfer) == MEMORY_BYTES - 200);
  hawser_transfer_free(transfer);
  CHECK(next_notification(&pair->there, text, &bytes));
  CHECK(bytes == 5 && memcmp(text, "it\0is", 6) == 0);
  CHECK(is_zero(&to, 0, 7));
  CHECK(holds(&to, 7, MEMORY_BYTES - 200, 2, 100));
  CHECK(is_zero(&to, MEMORY_BYTES - 193, 193));
  end_memory(&from);
  end_memory(&to);
}

static void batch_write(pair_t* pair) {
  memory_t from = make_memory(&pair->here, MEMORY_BYTES, HAWSER_RIGHTS_NONE);
  memory_t to = make_memory(&pair->there, MEMORY_BYTES, HAWSER_RIGHTS_WRITE);
  const hawser_remote_region_t remote = remote_of(&to);
  hawser_block_t blocks[BLOCKS];
  hawser_transfer_t* transfer;
  hawser_status_t begun;
  int right = 1;
  fill(&from, 3);
  make_blocks(blocks, 1);
  begun = hawser_link_write_blocks(pair->here.link, from.region, &remote, blocks, BLOCKS, NULL,
                                   &transfer);
  memset(blocks, 0xff, sizeof blocks);  // they were read during the call
  CHECK_OK(result_of(begun, transfer));
  make_blocks(blocks, 1);
  for (size_t i = 0; i < BLOCKS; ++i)
    right = right && holds(&to, blocks[i].remote_offset, BLOCK_BYTES, 3, blocks[i].local_offset) &&
            is_zero(&to, blocks[i].remote_offset + BLOCK_BYTES, BLOCK_BYTES);
  CHECK(right);
  begun = hawser_link_write_blocks(pair->here.link, from.region, &remote, NULL, 0, NULL, &transfer);
  CHECK_OK(result_of(begun, transfer));
  end_memory(&from);
  end_memory(&to);
}

void test_writes(pair_t* pair) {
  single_write(pair);
  batch_write(pair);
}

void test_reads(pair_t* pair) {
  memory_t from = make_memory(&pair->there, MEMORY_BYTES, HAWSER_RIGHTS_READ);
  memory_t to = make_memory(&pair->here, MEMORY_BYTES, HAWSER_RIGHTS_NONE);
  const hawser_remote_region_t remote = remote_of(&from);
  hawser_block_t blocks[BLOCKS];
  hawser_transfer_t* transfer;
  hawser_status_t begun;
  int right = 1;
  fill(&from, 4);
  begun = hawser_link_read(pair->here.link, to.region, 9, &remote, 1000, 2000000, NULL, &transfer);
  CHECK_OK(result_of(begun, transfer));
  CHECK(is_zero(&to, 0, 9));
  CHECK(holds(&to, 9, 2000000, 4, 1000));
  CHECK(is_zero(&to, 2000009, MEMORY_BYTES - 2000009));
  make_blocks(blocks, 0);
  begun =
      hawser_link_read_blocks(pair->here.link, to.region, &remote, blocks, BLOCKS, NULL, &transfer);
  CHECK_OK(result_of(begun, transfer));
  for (size_t i = 0; i < BLOCKS; ++i)
    right = right && holds(&to, blocks[i].local_offset, BLOCK_BYTES, 4, blocks[i].remote_offset);
  CHECK(right);
  end_memory(&from);
  end_memory(&to);
}

// There is a handle, and its result says why.
static void is_refused(hawser_status_t begun, hawser_transfer_t** transfer) {
  CHECK_OK(begun);
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, result_of(begun, *transfer));
}

void test_refused_transfers(pair_t* pair) {
  memory_t local = make_memory(&pair->here, 64, HAWSER_RIGHTS_NONE);
  memory_t read_only = make_memory(&pair->there, 64, HAWSER_RIGHTS_READ);
  memory_t write_only = make_memory(&pair->there, 64, HAWSER_RIGHTS_WRITE);
  const hawser_remote_region_t readable = remote_of(&read_only);
  const hawser_remote_region_t writable = remote_of(&write_only);
  hawser_link_t* const link = pair->here.link;
  const hawser_extent_t outside = {60, 8};
  hawser_transfer_t* transfer;
  is_refused(hawser_link_write(link, local.region, 1, &writable, 0, 64, NULL, &transfer),
             &transfer);
  is_refused(hawser_link_write(link, local.region, 0, &writable, 1, 64, NULL, &transfer),
             &transfer);
  is_refused(hawser_link_write(link, local.region, UINT64_MAX, &writable, 0, 2, NULL, &transfer),
             &transfer);
  is_refused(hawser_link_write(link, local.region, 0, &readable, 0, 64, NULL, &transfer),
             &transfer);
  is_refused(hawser_link_read(link, local.region, 0, &writable, 0, 64, NULL, &transfer), &transfer);
  is_refused(hawser_link_send_extents(link, 1, local.region, &outside, 1, NULL, &transfer),
             &transfer);
  is_refused(hawser_link_recv(link, 1, local.region, 0, 65, NULL, &transfer), &transfer);
  // A region of the other engine.
  is_refused(hawser_link_write(link, read_only.region, 0, &writable, 0, 64, NULL, &transfer),
             &transfer);
  CHECK(is_zero(&local, 0, 64) && is_zero(&read_only, 0, 64) && is_zero(&write_only, 0, 64));
  end_memory(&local);
  end_memory(&read_only);
  end_memory(&write_only);
}
