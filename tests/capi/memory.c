// Regions, tokens, and what a peer sees of them.
#include <string.h>

#include "support.h"

static void token_says(pair_t* pair) {
  memory_t memory = make_memory(&pair->here, 5000, HAWSER_RIGHTS_READ);
  uint8_t token[HAWSER_TOKEN_BYTES + 1];
  hawser_remote_region_t remote;
  CHECK(hawser_region_data(memory.region) == memory.bytes);
  CHECK(hawser_region_bytes(memory.region) == 5000);
  CHECK(hawser_region_gpu(memory.region) == -1);
  token[HAWSER_TOKEN_BYTES] = 0x5a;
  CHECK_OK(hawser_region_token(memory.region, token, sizeof token));
  CHECK(token[HAWSER_TOKEN_BYTES] == 0x5a);
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_region_token(memory.region, NULL, sizeof token));
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT,
               hawser_region_token(memory.region, token, HAWSER_TOKEN_BYTES - 1));
  CHECK_OK(hawser_remote_region_from_token(token, HAWSER_TOKEN_BYTES, &remote));
  CHECK(remote.bytes == 5000 && remote.gpu == -1 && remote.rights == HAWSER_RIGHTS_READ);
  CHECK(memcmp(remote.token, token, HAWSER_TOKEN_BYTES) == 0);
  token[20] ^= 1;
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT,
               hawser_remote_region_from_token(token, HAWSER_TOKEN_BYTES, &remote));
  CHECK(remote.bytes == 0);
  end_memory(&memory);
}

static void nothing_is_a_region(pair_t* pair) {
  hawser_region_t* region = NULL;
  CHECK_OK(hawser_engine_register(pair->here.engine, NULL, 0, HAWSER_RIGHTS_READ_WRITE, &region));
  CHECK(hawser_region_bytes(region) == 0);
  CHECK_OK(hawser_region_deregister(region, HAWSER_IN_FLIGHT_FAIL, PATIENCE_MS));
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_region_deregister(region, 2, 0));
  hawser_region_free(region);
}

static void deregistered_is_refused(pair_t* pair) {
  memory_t local = make_memory(&pair->here, 64, HAWSER_RIGHTS_NONE);
  memory_t other = make_memory(&pair->there, 64, HAWSER_RIGHTS_READ_WRITE);
  const hawser_remote_region_t remote = remote_of(&other);
  hawser_transfer_t* transfer;
  hawser_status_t begun;
  fill(&local, 1);
  end_memory(&other);  // the token is worth nothing now
  begun = hawser_link_write(pair->here.link, local.region, 0, &remote, 0, 64, NULL, &transfer);
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, result_of(begun, transfer));
  CHECK_OK(hawser_region_deregister(local.region, HAWSER_IN_FLIGHT_WAIT, PATIENCE_MS));
  begun = hawser_link_send(pair->here.link, 9, local.region, 0, 64, NULL, &transfer);
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, result_of(begun, transfer));
  end_memory(&local);
}

void test_memory(pair_t* pair) {
  token_says(pair);
  nothing_is_a_region(pair);
  deregistered_is_refused(pair);
}
