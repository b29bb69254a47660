// Messages, notifications, the ends of transfers, and those of links.
#include <poll.h>
#include <stdatomic.h>
#include <string.h>

#include "support.h"

#define MESSAGE_BYTES 300000

static void message(pair_t* pair, memory_t* from, memory_t* to) {
  hawser_transfer_t *sent, *received;
  CHECK_OK(hawser_link_recv(pair->there.link, 1, to->region, 10, MESSAGE_BYTES, NULL, &received));
  CHECK_OK(hawser_link_send(pair->here.link, 1, from->region, 5, 123456, NULL, &sent));
  CHECK_OK(hawser_transfer_result(received));
  CHECK(hawser_transfer_bytes(received) == 123456);
  CHECK(hawser_transfer_bytes_done(received) == 123456);
  CHECK_OK(result_of(HAWSER_OK, sent));
  CHECK(holds(to, 10, 123456, 6, 5));
  CHECK(is_zero(to, 123466, MESSAGE_BYTES - 123466));
  hawser_transfer_free(received);
}

static void message_of_extents(pair_t* pair, memory_t* from, memory_t* to) {
  const hawser_extent_t source[] = {{1000, 10}, {0, 20}, {5000, 30}};
  const hawser_extent_t destination[] = {{200, 25}, {100, 35}};
  hawser_transfer_t *sent, *received;
  CHECK_OK(hawser_link_send_extents(pair->here.link, 2, from->region, source, 3, NULL, &sent));
  CHECK_OK(
      hawser_link_recv_extents(pair->there.link, 2, to->region, destination, 2, NULL, &received));
  CHECK_OK(result_of(HAWSER_OK, received));
  CHECK_OK(result_of(HAWSER_OK, sent));
  CHECK(holds(to, 200, 10, 6, 1000) && holds(to, 210, 15, 6, 0));
  CHECK(holds(to, 100, 5, 6, 15) && holds(to, 105, 30, 6, 5000));
}

static void message_without_room(pair_t* pair, memory_t* from, memory_t* to) {
  hawser_transfer_t *sent, *received;
  CHECK_OK(hawser_link_send(pair->here.link, 3, from->region, 0, 100, NULL, &sent));
  CHECK_OK(hawser_link_recv(pair->there.link, 3, to->region, 0, 99, NULL, &received));
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, result_of(HAWSER_OK, received));
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, result_of(HAWSER_OK, sent));
}

void test_messages(pair_t* pair) {
  memory_t from = make_memory(&pair->here, MESSAGE_BYTES, HAWSER_RIGHTS_NONE);
  memory_t to = make_memory(&pair->there, MESSAGE_BYTES + 10, HAWSER_RIGHTS_NONE);
  fill(&from, 6);
  message(pair, &from, &to);
  message_of_extents(pair, &from, &to);
  message_without_room(pair, &from, &to);
  end_memory(&from);
  end_memory(&to);
}

void test_notifications(pair_t* pair) {
  char text[HAWSER_MAX_NOTIFICATION_BYTES + 1], longest[HAWSER_MAX_NOTIFICATION_BYTES];
  size_t bytes = 1;
  int taken = 1;
  hawser_transfer_t* transfer;
  hawser_transfer_options_t options;
  hawser_status_t begun;
  CHECK_OK(hawser_link_take_notification(pair->there.link, text, sizeof text, &bytes, &taken));
  CHECK(taken == 0 && bytes == 0);
  memset(longest, 'x', sizeof longest);
  begun = hawser_link_notify(pair->here.link, longest, sizeof longest, &transfer);
  CHECK_OK(result_of(begun, transfer));
  begun = hawser_link_notify(pair->here.link, NULL, 0, &transfer);
  CHECK_OK(result_of(begun, transfer));
  CHECK(next_notification(&pair->there, text, &bytes));
  CHECK(bytes == sizeof longest && memcmp(text, longest, bytes) == 0 && text[bytes] == '\0');
  CHECK(next_notification(&pair->there, text, &bytes));
  CHECK(bytes == 0 && text[0] == '\0');
  CHECK_OK(hawser_transfer_options_init(&options, sizeof options));
  CHECK(options.only_if_room == 0);
  options.only_if_room = 1;  // and there is
  begun = hawser_link_notify_with(pair->here.link, "room", 4, &options, &transfer);
  CHECK_OK(result_of(begun, transfer));
  CHECK(next_notification(&pair->there, text, &bytes));
  CHECK(bytes == 4 && strcmp(text, "room") == 0);
}

// A receive that nobody sends to: it can be waited for, cancelled, and bounded.
void test_ends(pair_t* pair) {
  memory_t memory = make_memory(&pair->here, 64, HAWSER_RIGHTS_NONE);
  hawser_transfer_options_t options;
  hawser_transfer_t* transfer;
  hawser_status_t begun;
  CHECK_OK(hawser_link_recv(pair->here.link, 77, memory.region, 0, 64, NULL, &transfer));
  CHECK(!hawser_transfer_done(transfer));
  CHECK_STATUS(HAWSER_TIMEOUT, hawser_transfer_wait(transfer, 0));
  CHECK_STATUS(HAWSER_TIMEOUT, hawser_transfer_wait(transfer, 1));
  CHECK_STATUS(HAWSER_TIMEOUT, hawser_region_deregister(memory.region, HAWSER_IN_FLIGHT_WAIT, 1));
  CHECK_OK(hawser_transfer_cancel(transfer));
  CHECK_OK(hawser_transfer_wait(transfer, PATIENCE_MS));
  CHECK_STATUS(HAWSER_CANCELLED, result_of(HAWSER_OK, transfer));
  end_memory(&memory);

  memory = make_memory(&pair->here, 64, HAWSER_RIGHTS_NONE);
  CHECK_OK(hawser_transfer_options_init(&options, sizeof options));
  options.timeout_ms = 1;
  begun = hawser_link_recv(pair->here.link, 78, memory.region, 0, 64, &options, &transfer);
  CHECK_STATUS(HAWSER_TIMEOUT, result_of(begun, transfer));
  end_memory(&memory);
}

typedef struct {
  atomic_int calls;
  hawser_status_t status;
  int had_error;
  hawser_transfer_t* transfer;
} call_t;

static void note_call(void* user, hawser_status_t status, const char* error) {
  call_t* const call = user;
  call->status = status;
  call->had_error = error != NULL;
  hawser_transfer_free(call->transfer);  // allowed in here
  ++call->calls;
}

static void wait_for_call(const side_t* side, call_t* call) {
  struct pollfd event = {hawser_engine_event_fd(side->engine), POLLIN, 0};
  for (int tries = 0; call->calls == 0 && tries < PATIENCE_MS / 10; ++tries) {
    hawser_engine_clear_event(side->engine);
    if (call->calls == 0) poll(&event, 1, 10);
  }
}

void test_callbacks(pair_t* pair) {
  memory_t memory = make_memory(&pair->here, 64, HAWSER_RIGHTS_NONE);
  call_t later = {0, HAWSER_INTERNAL, 0, NULL}, at_once = {0, HAWSER_OK, 0, NULL};
  call_t replaced = {0, HAWSER_OK, 0, NULL};
  hawser_transfer_t* transfer;
  hawser_status_t begun;
  CHECK_OK(hawser_link_recv(pair->here.link, 5, memory.region, 0, 64, NULL, &later.transfer));
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_transfer_on_done(later.transfer, NULL, NULL));
  CHECK_OK(hawser_transfer_on_done(later.transfer, note_call, &replaced));
  CHECK_OK(hawser_transfer_on_done(later.transfer, note_call, &later));
  begun = hawser_link_send(pair->there.link, 5, NULL, 0, 0, NULL, &transfer);
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, begun);
  {
    memory_t source = make_memory(&pair->there, 64, HAWSER_RIGHTS_NONE);
    begun = hawser_link_send(pair->there.link, 5, source.region, 0, 64, NULL, &transfer);
    CHECK_OK(result_of(begun, transfer));
    end_memory(&source);
  }
  wait_for_call(&pair->here, &later);
  CHECK(later.calls == 1 && later.status == HAWSER_OK && !later.had_error);
  CHECK(replaced.calls == 0);

  CHECK_OK(hawser_link_recv(pair->here.link, 5, memory.region, 0, 65, NULL, &at_once.transfer));
  CHECK_OK(hawser_transfer_on_done(at_once.transfer, note_call, &at_once));
  CHECK(at_once.calls == 1 && at_once.status == HAWSER_INVALID_ARGUMENT && at_once.had_error);
  end_memory(&memory);
}

void test_reports(pair_t* pair) {
  char* json = NULL;
  CHECK(hawser_engine_description(pair->here.engine)[0] != '\0');
  CHECK_OK(hawser_engine_devices_json(pair->here.engine, &json));
  CHECK(json != NULL && strncmp(json, "[\"", 2) == 0);
  hawser_free(json);
  CHECK(hawser_link_up(pair->here.link));
  CHECK_OK(hawser_link_status(pair->here.link));
  CHECK(strncmp(hawser_link_peer(pair->here.link), "127.0.0.1:", 10) == 0);
  CHECK_OK(hawser_link_report_json(pair->here.link, &json));
  CHECK(json != NULL && strstr(json, "\"up\":true") != NULL);
  CHECK(json != NULL && strstr(json, "\"channels\":[{") != NULL);
  CHECK(json != NULL && strstr(json, "\"state\":\"up\"") != NULL);
  CHECK(json != NULL && strstr(json, "\"waiting_for_room\":0") != NULL);
  hawser_free(json);
}

void test_acceptor(pair_t* pair) {
  hawser_link_t* link;
  hawser_link_options_t options;
  const int port = hawser_acceptor_port(pair->acceptor);
  CHECK_OK(hawser_acceptor_try_accept(pair->acceptor, &link));
  CHECK(link == NULL);
  CHECK_STATUS(HAWSER_TIMEOUT, hawser_acceptor_accept(pair->acceptor, 1, &link));
  CHECK(link == NULL);
  CHECK_OK(hawser_acceptor_close(pair->acceptor));
  CHECK_STATUS(HAWSER_CANCELLED, hawser_acceptor_accept(pair->acceptor, PATIENCE_MS, &link));
  CHECK(hawser_link_up(pair->here.link));
  CHECK_OK(hawser_link_options_init(&options, sizeof options));
  options.timeout_ms = 200;
  hawser_engine_connect(pair->here.engine, "127.0.0.1", port, &options, &link);
  CHECK(link == NULL);
}

void test_closing(pair_t* pair) {
  memory_t here = make_memory(&pair->here, 64, HAWSER_RIGHTS_NONE);
  memory_t there = make_memory(&pair->there, 64, HAWSER_RIGHTS_NONE);
  hawser_transfer_t *mine, *theirs;
  CHECK_OK(hawser_link_recv(pair->here.link, 90, here.region, 0, 64, NULL, &mine));
  CHECK_OK(hawser_link_recv(pair->there.link, 91, there.region, 0, 64, NULL, &theirs));
  CHECK_OK(hawser_link_close(pair->here.link, 0));
  CHECK_STATUS(HAWSER_CANCELLED, result_of(HAWSER_OK, mine));
  CHECK_STATUS(HAWSER_PEER, result_of(HAWSER_OK, theirs));
  CHECK(!hawser_link_up(pair->here.link));
  CHECK_STATUS(HAWSER_CANCELLED, hawser_link_status(pair->here.link));
  CHECK_STATUS(HAWSER_PEER, hawser_link_status(pair->there.link));
  end_memory(&here);
  end_memory(&there);
}

void test_handles_outlive_engine(void) {
  pair_t pair;
  uint8_t bytes[64];
  hawser_region_t* region = NULL;
  hawser_transfer_t* transfer;
  if (!make_pair(&pair)) return;
  CHECK_OK(hawser_engine_register(pair.here.engine, bytes, sizeof bytes, 0, &region));
  CHECK_OK(hawser_link_recv(pair.here.link, 1, region, 0, sizeof bytes, NULL, &transfer));
  CHECK_OK(hawser_engine_close(pair.here.engine, PATIENCE_MS));
  CHECK_STATUS(HAWSER_CANCELLED, result_of(HAWSER_OK, transfer));
  hawser_engine_destroy(pair.here.engine);
  pair.here.engine = NULL;
  CHECK(!hawser_link_up(pair.here.link));
  CHECK_STATUS(HAWSER_CANCELLED, hawser_link_status(pair.here.link));
  hawser_region_free(region);
  end_pair(&pair);
}
