#include "support.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static atomic_int made, failed;

void check_that(int holds_true, const char* what, const char* file, int line) {
  ++made;
  if (holds_true) return;
  ++failed;
  fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
}

void check_status(hawser_status_t wanted, hawser_status_t got, const char* call, const char* file,
                  int line) {
  ++made;
  if (got == wanted && (got == HAWSER_OK || hawser_last_error()[0] != '\0')) return;
  ++failed;
  fprintf(stderr, "%s:%d: %s: want %s, got %s: %s\n", file, line, call, hawser_status_name(wanted),
          hawser_status_name(got), got == HAWSER_OK ? "" : hawser_last_error());
}

int checks_made(void) {
  return made;
}

int checks_failed(void) {
  return failed;
}

int make_pair(pair_t* pair) {
  memset(pair, 0, sizeof *pair);
  CHECK_OK(hawser_engine_create(NULL, &pair->here.engine));
  CHECK_OK(hawser_engine_create(NULL, &pair->there.engine));
  CHECK_OK(hawser_engine_listen(pair->there.engine, "127.0.0.1", 0, NULL, &pair->acceptor));
  CHECK_OK(hawser_engine_connect(pair->here.engine, "127.0.0.1",
                                 hawser_acceptor_port(pair->acceptor), NULL, &pair->here.link));
  CHECK_OK(hawser_acceptor_accept(pair->acceptor, PATIENCE_MS, &pair->there.link));
  return pair->here.link != NULL && pair->there.link != NULL;
}

void end_pair(pair_t* pair) {
  hawser_link_free(pair->here.link);
  hawser_link_free(pair->there.link);
  hawser_acceptor_free(pair->acceptor);
  hawser_engine_destroy(pair->here.engine);
  hawser_engine_destroy(pair->there.engine);
}

memory_t make_memory(const side_t* side, size_t size, hawser_rights_t rights) {
  memory_t memory = {calloc(size, 1), size, NULL};
  CHECK_OK(hawser_engine_register(side->engine, memory.bytes, size, rights, &memory.region));
  return memory;
}

void end_memory(memory_t* memory) {
  CHECK_OK(hawser_region_deregister(memory->region, HAWSER_IN_FLIGHT_WAIT, PATIENCE_MS));
  hawser_region_free(memory->region);
  free(memory->bytes);
}

hawser_remote_region_t remote_of(const memory_t* memory) {
  uint8_t token[HAWSER_TOKEN_BYTES];
  hawser_remote_region_t remote;
  CHECK_OK(hawser_region_token(memory->region, token, sizeof token));
  CHECK_OK(hawser_remote_region_from_token(token, sizeof token, &remote));
  return remote;
}

static uint8_t byte_at(unsigned seed, size_t at) {
  return (uint8_t)(((uint64_t)seed * 1000003 + at + 1) * UINT64_C(0x9e3779b97f4a7c15) >> 56);
}

void fill(memory_t* memory, unsigned seed) {
  for (size_t at = 0; at < memory->size; ++at) memory->bytes[at] = byte_at(seed, at);
}

int holds(const memory_t* memory, size_t at, size_t bytes, unsigned seed, size_t from) {
  for (size_t i = 0; i < bytes; ++i)
    if (memory->bytes[at + i] != byte_at(seed, from + i)) return 0;
  return 1;
}

int is_zero(const memory_t* memory, size_t at, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i)
    if (memory->bytes[at + i] != 0) return 0;
  return 1;
}

hawser_status_t result_of(hawser_status_t begun, hawser_transfer_t* transfer) {
  hawser_status_t result = begun;
  CHECK((begun == HAWSER_OK) == (transfer != NULL));
  if (begun == HAWSER_OK) {
    result = hawser_transfer_result(transfer);
    CHECK(hawser_transfer_done(transfer));
    CHECK(hawser_transfer_result(transfer) == result);
  }
  hawser_transfer_free(transfer);
  return result;
}

int next_notification(const side_t* side, char text[HAWSER_MAX_NOTIFICATION_BYTES + 1],
                      size_t* bytes) {
  struct pollfd event = {hawser_engine_event_fd(side->engine), POLLIN, 0};
  for (;;) {
    int taken = 0;
    CHECK_OK(hawser_engine_clear_event(side->engine));
    CHECK_OK(hawser_link_take_notification(side->link, text, HAWSER_MAX_NOTIFICATION_BYTES + 1,
                                           bytes, &taken));
    if (taken) return 1;
    if (poll(&event, 1, PATIENCE_MS) <= 0) return 0;
  }
}
