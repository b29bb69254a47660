// hello.cc in C: a client writes into a server's memory, through <hawser/hawser.h>.
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hawser/hawser.h>

#define BYTES (16u << 20)
#define TOKEN_TAG 1
#define PATIENCE_MS 30000
#define DEFAULT_PORT 20500

// Says what failed; 1 where the status is that of success.
static int worked(hawser_status_t status, const char* doing) {
  if (status == HAWSER_OK) return 1;
  fprintf(stderr, "error: %s: %s (%s)\n", doing, hawser_last_error(), hawser_status_name(status));
  return 0;
}

// Takes what a call that begins a transfer gave, and waits for the end. (The handle comes by its
// address: arguments are evaluated in any order, so its value may be older than the call's.)
static int finished(hawser_status_t begun, hawser_transfer_t** transfer, const char* doing) {
  int ok = worked(begun, doing) && worked(hawser_transfer_result(*transfer), doing);
  hawser_transfer_free(*transfer);
  return ok;
}

// The bytes of hello.cc: either program can be the other's peer.
static uint8_t expected_byte(uint64_t at) {
  return (uint8_t)(((UINT64_C(2026) << 40) + at + 1) * UINT64_C(0x9e3779b97f4a7c15) >> 56);
}

static void fill(uint8_t* memory) {
  for (uint64_t at = 0; at < BYTES; ++at) memory[at] = expected_byte(at);
}

static int check(const uint8_t* memory) {
  for (uint64_t at = 0; at < BYTES; ++at)
    if (memory[at] != expected_byte(at)) {
      fprintf(stderr, "error: a wrong byte at offset %" PRIu64 "\n", at);
      return 0;
    }
  return 1;
}

// Sleeps in poll(2) while there is nothing to do. The event is cleared before looking; what arrives
// after the look sets it again, and is not missed. Whether the link is up is asked before the look,
// too: a peer may say its last word and close.
static int wait_for_notification(hawser_engine_t* engine, hawser_link_t* link, char* text,
                                 size_t capacity) {
  struct pollfd event = {hawser_engine_event_fd(engine), POLLIN, 0};
  for (;;) {
    size_t bytes;
    int taken;
    hawser_status_t up;
    hawser_engine_clear_event(engine);
    up = hawser_link_status(link);
    if (!worked(hawser_link_take_notification(link, text, capacity, &bytes, &taken), "looking"))
      return 0;
    if (taken) return 1;
    if (!worked(up, "waiting for a notification")) return 0;
    if (poll(&event, 1, PATIENCE_MS) == 0) {
      fprintf(stderr, "error: no notification for too long\n");
      return 0;
    }
  }
}

// A message from or to a small buffer, registered for the purpose.
static int exchange_token(hawser_engine_t* engine, hawser_link_t* link, uint8_t* token, int sends) {
  hawser_region_t* region;
  hawser_transfer_t* transfer;
  hawser_status_t begun;
  int ok;
  if (!worked(
          hawser_engine_register(engine, token, HAWSER_TOKEN_BYTES, HAWSER_RIGHTS_NONE, &region),
          "registering a token"))
    return 0;
  begun = sends ? hawser_link_send(link, TOKEN_TAG, region, 0, HAWSER_TOKEN_BYTES, NULL, &transfer)
                : hawser_link_recv(link, TOKEN_TAG, region, 0, HAWSER_TOKEN_BYTES, NULL, &transfer);
  ok = finished(begun, &transfer, sends ? "sending the token" : "receiving the token");
  ok = worked(hawser_region_deregister(region, HAWSER_IN_FLIGHT_WAIT, PATIENCE_MS),
              "deregistering the token") &&
       ok;
  hawser_region_free(region);
  return ok;
}

// The last word, and the end of the link once it has arrived. Nobody answers it: whether it was
// heard, the peer knows.
static int say_and_close(hawser_link_t* link, const char* text) {
  hawser_transfer_t* transfer;
  if (!worked(hawser_link_notify(link, text, strlen(text), &transfer), "notifying")) return 0;
  hawser_transfer_free(transfer);  // it goes on
  return worked(hawser_link_close(link, PATIENCE_MS), "closing");
}

static int serve_link(hawser_engine_t* engine, hawser_link_t* link, hawser_region_t* region) {
  uint8_t token[HAWSER_TOKEN_BYTES];
  char text[HAWSER_MAX_NOTIFICATION_BYTES + 1];
  if (!worked(hawser_region_token(region, token, sizeof token), "making a token") ||
      !exchange_token(engine, link, token, 1) ||
      !wait_for_notification(engine, link, text, sizeof text) || !check(hawser_region_data(region)))
    return 0;
  printf("server: told '%s', and all %u bytes are right\n", text, BYTES);
  return say_and_close(link, "every byte is right");
}

static int serve(hawser_engine_t* engine, hawser_region_t* region, int port) {
  hawser_acceptor_t* acceptor;
  hawser_link_t* link = NULL;
  int ok;
  if (!worked(hawser_engine_listen(engine, "0.0.0.0", port, NULL, &acceptor), "listening"))
    return 0;
  printf("server: listening on port %d\n", hawser_acceptor_port(acceptor));
  fflush(stdout);
  ok = worked(hawser_acceptor_accept(acceptor, PATIENCE_MS, &link), "accepting") &&
       serve_link(engine, link, region);
  hawser_link_free(link);
  hawser_acceptor_free(acceptor);
  return ok;
}

static int ask_link(hawser_engine_t* engine, hawser_link_t* link, hawser_region_t* region) {
  uint8_t token[HAWSER_TOKEN_BYTES];
  char text[HAWSER_MAX_NOTIFICATION_BYTES + 1];
  hawser_remote_region_t remote;
  hawser_transfer_options_t options;
  hawser_transfer_t* transfer;
  printf("client: connected to %s\n", hawser_link_peer(link));
  if (!exchange_token(engine, link, token, 0) ||
      !worked(hawser_remote_region_from_token(token, sizeof token, &remote), "reading the token"))
    return 0;
  hawser_transfer_options_init(&options, sizeof options);
  options.notification = "hello";  // arrives once all bytes are there
  options.notification_bytes = strlen("hello");
  if (!finished(hawser_link_write(link, region, 0, &remote, 0, BYTES, &options, &transfer),
                &transfer, "writing") ||
      !wait_for_notification(engine, link, text, sizeof text))
    return 0;
  printf("client: wrote %u bytes, and the server says '%s'\n", BYTES, text);
  return worked(hawser_link_close(link, PATIENCE_MS), "closing");
}

static int ask(hawser_engine_t* engine, hawser_region_t* region, const char* address, int port) {
  hawser_link_t* link;
  int ok;
  if (!worked(hawser_engine_connect(engine, address, port, NULL, &link), "connecting")) return 0;
  fill(hawser_region_data(region));
  ok = ask_link(engine, link, region);
  hawser_link_free(link);
  return ok;
}

// `address` is null for the server.
static int run(uint8_t* memory, const char* address, int port) {
  hawser_engine_t* engine;
  hawser_region_t* region;
  int ok = 0;
  if (!worked(hawser_engine_create(NULL, &engine), "making an engine")) return 0;
  printf("%s: hawser %s, %s\n", address == NULL ? "server" : "client", hawser_version(),
         hawser_engine_description(engine));
  if (worked(hawser_engine_register(engine, memory, BYTES, HAWSER_RIGHTS_WRITE, &region),
             "registering memory")) {
    ok = address == NULL ? serve(engine, region, port) : ask(engine, region, address, port);
    // Nobody touches the memory any more, and it may go.
    ok = worked(hawser_region_deregister(region, HAWSER_IN_FLIGHT_FAIL, PATIENCE_MS),
                "deregistering memory") &&
         ok;
    hawser_region_free(region);
  }
  hawser_engine_destroy(engine);
  return ok;
}

int main(int argc, char** argv) {
  const int serves = argc >= 2 && strcmp(argv[1], "server") == 0;
  const int asks = argc >= 3 && strcmp(argv[1], "client") == 0;
  const int fixed = serves ? 2 : 3;
  uint8_t* memory;
  int ok;
  if ((!serves && !asks) || argc > fixed + 1) {
    fprintf(stderr, "usage: hello_c server [PORT]\n       hello_c client ADDRESS [PORT]\n");
    return 2;
  }
  memory = calloc(BYTES, 1);
  if (memory == NULL) {
    fprintf(stderr, "error: no memory\n");
    return 1;
  }
  ok = run(memory, serves ? NULL : argv[2], argc > fixed ? atoi(argv[fixed]) : DEFAULT_PORT);
  free(memory);
  return ok ? 0 : 1;
}
