/* The emulator's one function for tests: what the host did with the plugin.
 * Look it up with dlsym(handle, "hawser_emu_stats"). Thread-safe; counters are of
 * the process (of this loaded copy of the .so), and never go back unless said. */
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Index of HawserEmuStats.calls; the order of the v7 table. */
enum HawserEmuCall {
  HAWSER_EMU_INIT,
  HAWSER_EMU_DEVICES,
  HAWSER_EMU_GET_PROPERTIES,
  HAWSER_EMU_LISTEN,
  HAWSER_EMU_CONNECT,
  HAWSER_EMU_ACCEPT,
  HAWSER_EMU_REG_MR,
  HAWSER_EMU_DEREG_MR,
  HAWSER_EMU_ISEND,
  HAWSER_EMU_IRECV,
  HAWSER_EMU_IFLUSH,
  HAWSER_EMU_TEST,
  HAWSER_EMU_CLOSE_SEND,
  HAWSER_EMU_CLOSE_RECV,
  HAWSER_EMU_CLOSE_LISTEN,
  HAWSER_EMU_GET_DEVICE_MR,
  HAWSER_EMU_IRECV_CONSUMED,
  HAWSER_EMU_CALL_COUNT
};

typedef struct HawserEmuStats {
  uint64_t calls[HAWSER_EMU_CALL_COUNT]; /* entered, whatever came of it */
  uint64_t violations;                   /* rules of TCPX that the host broke */
  uint64_t faults_applied;               /* times a rule of HAWSER_EMU_FAULTS changed a call */
  uint64_t registrations_made;           /* successful regMr */
  uint64_t registrations_alive;          /* goes up and down */
  uint64_t listen_comms_alive;           /* goes up and down */
  uint64_t send_comms_alive;             /* goes up and down */
  uint64_t receive_comms_alive;          /* goes up and down */
  uint64_t max_requests_in_flight;       /* of any one comm; unconsumed receives count */
  uint64_t pages_in_use;                 /* bounce pages, over all pools; up and down */
  uint64_t max_pages_in_use;
  uint64_t pool_exhausted;         /* times a receive stood still for want of a page */
  uint64_t pool_starved_us;        /* how long receives stood still so, all together */
  uint64_t slots_leaked;           /* receives not consumed when their comm was closed */
  uint64_t sends_abandoned;        /* sends not finished when their comm was closed */
  uint64_t deregistered_in_flight; /* deregMr with unfinished requests on it: logged, no error */
  uint64_t bytes_sent;             /* payload */
  uint64_t bytes_received;         /* payload */
  uint64_t fragments;              /* pieces that receives landed in */
  uint64_t bad_peers;              /* connections dropped for what they said */
  uint64_t overlapping_setups;     /* two threads at once in listen, connect or accept of a GPU */
  uint64_t host_receive_polls;     /* tests of a receive into host memory, on a steered socket */
  char last_violation[256];        /* "" where there was none */
} HawserEmuStats;

void hawser_emu_stats(HawserEmuStats* stats);

#ifdef __cplusplus
}
#endif
