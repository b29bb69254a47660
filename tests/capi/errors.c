// What needs no link: numbers, texts, options, and arguments that are missing or wrong.
#include <string.h>

#include "support.h"

void test_without_engine(void) {
  char* json = NULL;
  CHECK(strchr(hawser_version(), '.') != NULL);
  CHECK(strcmp(hawser_status_name(HAWSER_OK), "ok") == 0);
  CHECK(strcmp(hawser_status_name(HAWSER_INVALID_ARGUMENT), "invalid argument") == 0);
  CHECK(strcmp(hawser_status_name(HAWSER_INTERNAL), "internal") == 0);
  CHECK(strcmp(hawser_status_name(99), "unknown") == 0);
  CHECK(strcmp(hawser_status_name(-1), "unknown") == 0);
  CHECK(strcmp(hawser_last_error(), "") == 0);
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_set_log_level(NULL));
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_set_log_level("loud"));
  CHECK(strstr(hawser_last_error(), "warning") != NULL);
  CHECK_OK(hawser_set_log_level("warning"));
  CHECK(strstr(hawser_last_error(), "warning") != NULL);  // a success leaves it
  CHECK_OK(hawser_devices_json("builtin", NULL, &json));
  CHECK(json != NULL && json[0] == '{');
  hawser_free(json);
  hawser_free(NULL);
  CHECK_STATUS(HAWSER_UNAVAILABLE, hawser_devices_json("/nonexistent/plugin.so", NULL, &json));
  CHECK(json == NULL);
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_devices_json(NULL, NULL, NULL));
}

static void null_engine(void) {
  char* json;
  hawser_region_t* region;
  hawser_acceptor_t* acceptor;
  hawser_link_t* link;
  uint8_t byte;
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_engine_create(NULL, NULL));
  CHECK(strcmp(hawser_engine_description(NULL), "") == 0);
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_engine_devices_json(NULL, &json));
  CHECK(hawser_engine_event_fd(NULL) == -1);
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_engine_clear_event(NULL));
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_engine_register(NULL, &byte, 1, 3, &region));
  CHECK(region == NULL);
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_engine_listen(NULL, "::", 0, NULL, &acceptor));
  CHECK(acceptor == NULL);
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_engine_connect(NULL, "::1", 1, NULL, &link));
  CHECK(link == NULL);
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_engine_close(NULL, 0));
  hawser_engine_destroy(NULL);
}

static void null_acceptor_and_region(void) {
  hawser_link_t* link;
  uint8_t token[HAWSER_TOKEN_BYTES] = {0};
  hawser_remote_region_t remote;
  CHECK(hawser_acceptor_port(NULL) == -1);
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_acceptor_accept(NULL, 0, &link));
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_acceptor_try_accept(NULL, &link));
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_acceptor_close(NULL));
  hawser_acceptor_free(NULL);
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_region_deregister(NULL, HAWSER_IN_FLIGHT_WAIT, 0));
  CHECK(hawser_region_data(NULL) == NULL);
  CHECK(hawser_region_bytes(NULL) == 0);
  CHECK(hawser_region_gpu(NULL) == -1);
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_region_token(NULL, token, sizeof token));
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT,
               hawser_remote_region_from_token(NULL, sizeof token, &remote));
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_remote_region_from_token(token, 47, &remote));
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT,
               hawser_remote_region_from_token(token, sizeof token, &remote));
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_remote_region_from_token(token, 48, NULL));
  hawser_region_free(NULL);
}

static void null_link(void) {
  char text[HAWSER_MAX_NOTIFICATION_BYTES + 1];
  size_t bytes = 1;
  int taken = 1;
  char* json;
  hawser_transfer_t* transfer;
  CHECK(hawser_link_up(NULL) == 0);
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_link_status(NULL));
  CHECK(strcmp(hawser_link_peer(NULL), "") == 0);
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_link_report_json(NULL, &json));
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_link_close(NULL, 0));
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_link_notify(NULL, "x", 1, &transfer));
  CHECK(transfer == NULL);
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT,
               hawser_link_take_notification(NULL, text, sizeof text, &bytes, &taken));
  CHECK(bytes == 0 && taken == 0);
  hawser_link_free(NULL);
}

static void null_transfer(void) {
  CHECK(hawser_transfer_done(NULL) == 1);
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_transfer_wait(NULL, 0));
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_transfer_result(NULL));
  CHECK(hawser_transfer_bytes(NULL) == 0);
  CHECK(hawser_transfer_bytes_done(NULL) == 0);
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_transfer_cancel(NULL));
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_transfer_on_done(NULL, NULL, NULL));
  hawser_transfer_free(NULL);
}

void test_null_handles(void) {
  null_engine();
  null_acceptor_and_region();
  null_link();
  null_transfer();
}

static void options_defaults(void) {
  hawser_engine_options_t engine;
  hawser_link_options_t link;
  hawser_transfer_options_t transfer;
  memset(&engine, 0xff, sizeof engine);
  memset(&link, 0xff, sizeof link);
  memset(&transfer, 0xff, sizeof transfer);
  CHECK_OK(hawser_engine_options_init(&engine, sizeof engine));
  CHECK(engine.size == sizeof engine && engine.plugin == NULL && engine.device_count == 0);
  CHECK(engine.stall_ms == 500 && engine.peer_silence_ms == 10000 && engine.retry_ms == 500);
  CHECK_OK(hawser_link_options_init(&link, sizeof link));
  CHECK(link.size == sizeof link && link.gpu == -1 && link.timeout_ms == 30000);
  CHECK(link.devices == NULL && link.device_count == 0 && link.reserved == 0);
  CHECK_OK(hawser_transfer_options_init(&transfer, sizeof transfer));
  CHECK(transfer.notification == NULL && transfer.cuda_stream == NULL && transfer.timeout_ms == 0);
}

// A caller whose hawser.h is newer than the library.
static void options_that_are_longer(void) {
  struct {
    hawser_engine_options_t known;
    uint64_t news;
  } longer;
  hawser_engine_t* engine = NULL;
  memset(&longer, 0xff, sizeof longer);
  CHECK_OK(hawser_engine_options_init(&longer.known, sizeof longer));
  CHECK(longer.known.size == sizeof longer && longer.news == 0);
  CHECK_OK(hawser_engine_create(&longer.known, &engine));
  hawser_engine_destroy(engine);
  longer.news = 1;
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_engine_create(&longer.known, &engine));
  CHECK(engine == NULL);
}

// A caller of the first hawser.h, whose options end before `isolate`.
static void options_that_are_shorter(void) {
  const size_t first = offsetof(hawser_engine_options_t, isolate);
  hawser_engine_options_t options;
  hawser_engine_t* engine = NULL;
  CHECK(first == 64);
  memset(&options, 0xff, sizeof options);
  CHECK_OK(hawser_engine_options_init(&options, first));
  CHECK(options.size == first && options.isolate == -1);  // not ours to touch
  CHECK_OK(hawser_engine_create(&options, &engine));      // nor to read
  hawser_engine_destroy(engine);
}

static void options_that_isolate(void) {
  hawser_engine_options_t options;
  hawser_engine_t* engine = NULL;
  CHECK_OK(hawser_engine_options_init(&options, sizeof options));
  CHECK(options.isolate == 0 && options.reserved == 0);
  options.plugin = "builtin";
  options.isolate = 1;
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_engine_create(&options, &engine));
  CHECK(strstr(hawser_last_error(), "nothing to isolate") != NULL);
  options.isolate = 0;
  options.reserved = 1;
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_engine_create(&options, &engine));
}

static void options_that_are_wrong(void) {
  const char* const devices[] = {"no-such-device", NULL};
  hawser_engine_options_t options;
  hawser_engine_t* engine = NULL;
  memset(&options, 0, sizeof options);
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_engine_create(&options, &engine));
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_engine_options_init(&options, 8));
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_engine_options_init(&options, SIZE_MAX));
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_engine_options_init(NULL, sizeof options));
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_link_options_init(NULL, 40));
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_transfer_options_init(NULL, 40));
  CHECK_OK(hawser_engine_options_init(&options, sizeof options));
  options.device_count = 1;
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_engine_create(&options, &engine));
  options.devices = devices;
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_engine_create(&options, &engine));
  CHECK(strstr(hawser_last_error(), "no-such-device") != NULL);
  options.device_count = 2;
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_engine_create(&options, &engine));
  CHECK_OK(hawser_engine_options_init(&options, sizeof options));
  options.plugin = "/nonexistent/libnccl-net.so";
  CHECK_STATUS(HAWSER_UNAVAILABLE, hawser_engine_create(&options, &engine));
  CHECK(engine == NULL);
}

void test_options(void) {
  options_defaults();
  options_that_are_longer();
  options_that_are_shorter();
  options_that_isolate();
  options_that_are_wrong();
}

static void wrong_arguments_of_transfers(hawser_link_t* link, memory_t* local,
                                         const hawser_remote_region_t* remote) {
  hawser_region_t* const region = local->region;
  hawser_transfer_t* transfer;
  hawser_transfer_options_t options;
  hawser_remote_region_t nothing;
  memset(&nothing, 0, sizeof nothing);
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT,
               hawser_link_write(NULL, region, 0, remote, 0, 1, NULL, &transfer));
  CHECK(transfer == NULL);
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT,
               hawser_link_write(link, NULL, 0, remote, 0, 1, NULL, &transfer));
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT,
               hawser_link_write(link, region, 0, NULL, 0, 1, NULL, &transfer));
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT,
               hawser_link_write(link, region, 0, &nothing, 0, 1, NULL, &transfer));
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT,
               hawser_link_write(link, region, 0, remote, 0, 1, NULL, NULL));
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT,
               hawser_link_write_blocks(link, region, remote, NULL, 1, NULL, &transfer));
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT,
               hawser_link_read(link, NULL, 0, remote, 0, 1, NULL, &transfer));
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT,
               hawser_link_read_blocks(link, region, remote, NULL, 1, NULL, &transfer));
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_link_send(link, 1, NULL, 0, 1, NULL, &transfer));
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_link_send(link, 1, region, 0, 1, NULL, NULL));
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT,
               hawser_link_send_extents(link, 1, region, NULL, 1, NULL, &transfer));
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_link_recv(NULL, 1, region, 0, 1, NULL, &transfer));
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT,
               hawser_link_recv_extents(link, 1, region, NULL, 1, NULL, &transfer));
  CHECK_OK(hawser_transfer_options_init(&options, sizeof options));
  options.notification_bytes = 1;
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT,
               hawser_link_write(link, region, 0, remote, 0, 1, &options, &transfer));
  options.notification = local->bytes;
  options.notification_bytes = HAWSER_MAX_NOTIFICATION_BYTES + 1;
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT,
               hawser_link_write(link, region, 0, remote, 0, 1, &options, &transfer));
  CHECK(transfer == NULL);
}

static void wrong_arguments_of_notifications(hawser_link_t* link) {
  char text[HAWSER_MAX_NOTIFICATION_BYTES + 2];
  size_t bytes;
  int taken;
  hawser_transfer_t* transfer;
  hawser_transfer_options_t options;
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT,
               hawser_link_take_notification(link, NULL, sizeof text, &bytes, &taken));
  CHECK_STATUS(
      HAWSER_INVALID_ARGUMENT,
      hawser_link_take_notification(link, text, HAWSER_MAX_NOTIFICATION_BYTES, &bytes, &taken));
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT,
               hawser_link_take_notification(link, text, sizeof text, NULL, &taken));
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT,
               hawser_link_take_notification(link, text, sizeof text, &bytes, NULL));
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_link_notify(link, NULL, 1, &transfer));
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_link_notify(link, text, sizeof text, &transfer));
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_link_notify(link, text, 1, NULL));
  CHECK_OK(hawser_transfer_options_init(&options, sizeof options));
  options.size = 8;
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT,
               hawser_link_notify_with(link, text, 1, &options, &transfer));
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_link_report_json(link, NULL));
}

static void wrong_arguments_of_engines(hawser_engine_t* engine) {
  hawser_region_t* region;
  hawser_acceptor_t* acceptor;
  hawser_link_t* link;
  hawser_link_options_t options;
  uint8_t byte;
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_engine_register(engine, NULL, 1, 3, &region));
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_engine_register(engine, &byte, 1, 4, &region));
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_engine_register(engine, &byte, 1, -1, &region));
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_engine_register(engine, &byte, 1, 3, NULL));
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_engine_listen(engine, NULL, 0, NULL, &acceptor));
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_engine_listen(engine, "::", 0, NULL, NULL));
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_engine_connect(engine, NULL, 1, NULL, &link));
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT, hawser_engine_connect(engine, "::1", 1, NULL, NULL));
  CHECK_OK(hawser_link_options_init(&options, sizeof options));
  options.reserved = 1;
  CHECK_STATUS(HAWSER_INVALID_ARGUMENT,
               hawser_engine_connect(engine, "127.0.0.1", 1, &options, &link));
  CHECK(link == NULL);
}

void test_wrong_arguments(pair_t* pair) {
  memory_t local = make_memory(&pair->here, 64, HAWSER_RIGHTS_READ_WRITE);
  memory_t other = make_memory(&pair->there, 64, HAWSER_RIGHTS_READ_WRITE);
  const hawser_remote_region_t remote = remote_of(&other);
  wrong_arguments_of_transfers(pair->here.link, &local, &remote);
  wrong_arguments_of_notifications(pair->here.link);
  wrong_arguments_of_engines(pair->here.engine);
  CHECK(is_zero(&other, 0, 64));
  end_memory(&local);
  end_memory(&other);
}
