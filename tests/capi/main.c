// The whole C API, between two engines of one process. The exit status says whether all was right.
#include <stdio.h>

#include "support.h"

int main(void) {
  pair_t pair;
  test_without_engine();
  test_null_handles();
  test_options();
  if (make_pair(&pair)) {
    test_reports(&pair);
    test_wrong_arguments(&pair);
    test_memory(&pair);
    test_writes(&pair);
    test_reads(&pair);
    test_refused_transfers(&pair);
    test_messages(&pair);
    test_notifications(&pair);
    test_ends(&pair);
    test_callbacks(&pair);
    test_acceptor(&pair);
    test_closing(&pair);
  }
  end_pair(&pair);
  test_handles_outlive_engine();
  printf("%d checks, %d failed\n", checks_made(), checks_failed());
  return checks_failed() == 0 ? 0 : 1;
}
