// Checks, and two engines of one process with a link between them.
#ifndef TESTS_CAPI_SUPPORT_H
#define TESTS_CAPI_SUPPORT_H

#include <hawser/hawser.h>

#define PATIENCE_MS 30000

// Says where and what, and counts, where `condition` does not hold; the program goes on.
#define CHECK(condition) check_that((condition) != 0, #condition, __FILE__, __LINE__)
// The call gave this status, and where that is a failure, said why.
#define CHECK_STATUS(wanted, call) check_status((wanted), (call), #call, __FILE__, __LINE__)
#define CHECK_OK(call) CHECK_STATUS(HAWSER_OK, call)

void check_that(int holds, const char* what, const char* file, int line);
void check_status(hawser_status_t wanted, hawser_status_t got, const char* call, const char* file,
                  int line);
int checks_made(void);
int checks_failed(void);

typedef struct {
  hawser_engine_t* engine;
  hawser_link_t* link;
} side_t;

typedef struct {
  side_t here, there;
  hawser_acceptor_t* acceptor;
} pair_t;

// False where there is no link; then nothing else can be tested.
int make_pair(pair_t* pair);
void end_pair(pair_t* pair);

// Memory that is registered with a side's engine.
typedef struct {
  uint8_t* bytes;
  size_t size;
  hawser_region_t* region;
} memory_t;

memory_t make_memory(const side_t* side, size_t size, hawser_rights_t rights);
void end_memory(memory_t* memory);
// As the peer sees it.
hawser_remote_region_t remote_of(const memory_t* memory);

void fill(memory_t* memory, unsigned seed);
// Whether `bytes` bytes from `at` on are those that fill() gives from `from` on.
int holds(const memory_t* memory, size_t at, size_t bytes, unsigned seed, size_t from);
int is_zero(const memory_t* memory, size_t at, size_t bytes);

// What came of a transfer that a call has begun, and its handle freed.
hawser_status_t result_of(hawser_status_t begun, hawser_transfer_t* transfer);

// Waits, by the event fd, until the link has a notification. False: none came.
int next_notification(const side_t* side, char text[HAWSER_MAX_NOTIFICATION_BYTES + 1],
                      size_t* bytes);

// The parts of the test.
void test_without_engine(void);
void test_null_handles(void);
void test_options(void);
void test_wrong_arguments(pair_t* pair);
void test_memory(pair_t* pair);
void test_writes(pair_t* pair);
void test_reads(pair_t* pair);
void test_refused_transfers(pair_t* pair);
void test_messages(pair_t* pair);
void test_notifications(pair_t* pair);
void test_ends(pair_t* pair);
void test_callbacks(pair_t* pair);
void test_reports(pair_t* pair);
void test_acceptor(pair_t* pair);
void test_closing(pair_t* pair);
void test_handles_outlive_engine(void);

#endif
