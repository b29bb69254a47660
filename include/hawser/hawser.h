// hawser in C: the transfer API for other languages, and for programs in C. It is what
// <hawser/engine.h> is in C++, call by call; docs/api.md explains both side by side.
//
// Units. Sizes and offsets are bytes, times milliseconds; a timeout of -1 is "as long as it takes".
//
// Errors. A call that can fail gives a hawser_status_t, and hawser_last_error() says in words what
// the last failure in this thread was. No call throws, and none crashes for a null handle or a null
// pointer: that is HAWSER_INVALID_ARGUMENT, or where there is no status what each call says. "Not
// yet" is no error: such calls give HAWSER_OK and an empty answer. Where a call fails, what it
// would have made is set to null or 0.
//
// Lifetimes. Each handle is the caller's, to be given back once, by hawser_engine_destroy() or the
// hawser_..._free() of its kind; null is allowed there. Handles of links, regions and transfers
// only name things of the engine: freeing one ends nothing, and they may outlive the engine. What
// is passed in (options, texts, blocks, tokens) is read during the call alone; but registered
// memory is the engine's until hawser_region_deregister(), and that of a transfer until the
// transfer has ended.
//
// Threads. Any call may be made from any thread, at the same time and on the same handle; only a
// handle that is being freed must not be in use. Calls that have a timeout wait, as do
// hawser_engine_create(), hawser_engine_destroy() and hawser_transfer_result(); no other one does.
//
// Growth. Functions and numbers stay as they are. Structures of options may grow at their end:
// hence their first member, which hawser_..._options_init() sets. Other structures stay as they
// are.
#ifndef HAWSER_HAWSER_H
#define HAWSER_HAWSER_H

#include <stddef.h>
#include <stdint.h>

#include <hawser/export.h>

#ifdef __cplusplus
extern "C" {
#endif

// ---- status ----

// An integer, not an enum: a later library may know more numbers than its caller. A number that is
// not known is an error like HAWSER_INTERNAL.
typedef int32_t hawser_status_t;

enum {
  HAWSER_OK = 0,
  HAWSER_INVALID_ARGUMENT = 1,  // the caller's input is wrong: mend the call
  HAWSER_UNAVAILABLE = 2,       // this machine lacks something: a driver, a plugin, a device
  HAWSER_TIMEOUT = 3,           // a deadline passed; the other side may still be alive
  HAWSER_PEER = 4,              // the peer died, refused, or closed
  HAWSER_PROTOCOL = 5,          // bytes that no correct peer sends
  HAWSER_DATA = 6,              // bytes arrived, and they are the wrong ones
  HAWSER_PLUGIN = 7,            // a hosted plugin returned an error code
  HAWSER_SYSTEM = 8,            // the operating system refused, or there is no memory
  HAWSER_CANCELLED = 9,         // somebody asked this work to stop
  HAWSER_INTERNAL = 10          // a bug of hawser's
};

// "invalid argument", "ok"; "unknown" for another number. A static string.
HAWSER_API const char* hawser_status_name(hawser_status_t status);

// What the last call that failed in this thread said: what failed, on which object, what to do. At
// most 1023 bytes. "" where none has failed. Good until another call fails in this thread, and
// until the thread ends. A language that moves its tasks between threads (Go) must keep the task on
// its thread from the failed call to this one.
HAWSER_API const char* hawser_last_error(void);

// ---- the library ----

HAWSER_API const char* hawser_version(void);  // "major.minor.patch", a static string

// How much is logged to stderr: "error", "warning", "info" or "debug".
HAWSER_API hawser_status_t hawser_set_log_level(const char* level);

// What this machine has, its network devices and GPUs, as one JSON object, to be given back with
// hawser_free(). The arguments are those of hawser_engine_options_t; null is "".
HAWSER_API hawser_status_t hawser_devices_json(const char* plugin, const char* gpu_nic_map,
                                               char** json);

// Gives back a text that a call of hawser made.
HAWSER_API void hawser_free(void* text);

// ---- handles ----

typedef struct hawser_engine hawser_engine_t;      // owns links, registrations and threads
typedef struct hawser_acceptor hawser_acceptor_t;  // makes links of those who connect
typedef struct hawser_link hawser_link_t;          // the way to one peer
typedef struct hawser_region hawser_region_t;      // registered memory of this process
typedef struct hawser_transfer hawser_transfer_t;  // what was asked of a link

// ---- options ----

// In all of them 0 and null are the defaults, but where another one is named. A null pointer
// instead of a structure is all defaults. Fields called `reserved` must be 0.

typedef struct hawser_engine_options {
  size_t size;
  const char* plugin;          // "builtin", a path or a plugin's name; null: by the environment
  const char* const* devices;  // NICs that links may use, by name or index; none: all
  size_t device_count;
  const char* gpu_nic_map;  // "0=eth1,eth2;1=eth3": NICs for some GPUs instead of the nearest
  uint64_t chunk_bytes;  // longer contiguous pieces are cut to this; 0: the engine's; at most 4 MiB
  int32_t threads;       // that move data; 0: by the CPUs there are
  int32_t stall_ms;      // a channel that moves nothing for so long is given up; default 500
  int32_t peer_silence_ms;  // a peer that answers nowhere for so long is gone; default 10000
  int32_t retry_ms;         // how soon a channel that went down is tried again; default 500
  // Not 0: a hosted plugin runs in a process of its own, so that its crash, exit or hang is an
  // error here and nothing else; HAWSER_INVALID_ARGUMENT where there is no plugin. 0:
  // HAWSER_ISOLATE says.
  int32_t isolate;
  int32_t reserved;
  // Of the built-in transport: the ports where data connections come in ("30000-30015"), and the
  // address under which others reach it ("203.0.113.7", "eth0=203.0.113.7"); null:
  // HAWSER_DATA_PORTS and HAWSER_ADVERTISE say.
  const char* data_ports;
  const char* advertise;
} hawser_engine_options_t;

typedef struct hawser_link_options {
  size_t size;
  const char* const* devices;  // these NICs, by name or index; none: as `gpu` says
  size_t device_count;
  int32_t gpu;                  // the NICs nearest to this GPU; default -1: all of the engine
  int32_t channels_per_device;  // per pair of NICs; 0: as the engine thinks best
  int32_t timeout_ms;           // for reaching the peer and making the channels; default 30000
  int32_t reserved;
} hawser_link_options_t;

typedef struct hawser_transfer_options {
  size_t size;
  // Arrives at the peer once all data of this write is applied there. Any bytes, at most
  // HAWSER_MAX_NOTIFICATION_BYTES; null: none. Of writes alone.
  const void* notification;
  size_t notification_bytes;
  // A CUstream: memory is touched only when what was queued on it before this call has finished.
  // Null: at once.
  void* cuda_stream;
  int32_t timeout_ms;  // it fails with HAWSER_TIMEOUT where it has not ended by then; 0: no bound
  // Not 0: where the peer has no room for it (docs/limits.md) it is refused with
  // HAWSER_TIMEOUT, and nothing of it is sent. 0: it waits until there is room.
  int32_t only_if_room;
} hawser_transfer_options_t;

// Fill in the defaults. `size` is the caller's sizeof of the structure, which may be that of an
// older or newer hawser.h than the library's.
HAWSER_API hawser_status_t hawser_engine_options_init(hawser_engine_options_t* options,
                                                      size_t size);
HAWSER_API hawser_status_t hawser_link_options_init(hawser_link_options_t* options, size_t size);
HAWSER_API hawser_status_t hawser_transfer_options_init(hawser_transfer_options_t* options,
                                                        size_t size);

// ---- engine ----

// HAWSER_UNAVAILABLE: no such plugin, or it offers no device. HAWSER_INVALID_ARGUMENT: an option is
// wrong, or names a device that is not offered.
HAWSER_API hawser_status_t hawser_engine_create(const hawser_engine_options_t* options,
                                                hawser_engine_t** engine);

// Ends its links and fails what is pending with HAWSER_CANCELLED, as hawser_engine_destroy() does,
// but keeps the handle, and says how it went. HAWSER_TIMEOUT: a call of the transport's hangs, as a
// plugin's may. Its thread is left behind, and what it may touch, registered memory included, must
// stay: the process had best end by _exit(). Of several calls the first one counts.
HAWSER_API hawser_status_t hawser_engine_close(hawser_engine_t* engine, int timeout_ms);

// Closes it where it is not closed yet, within 10 s, and frees the handle.
HAWSER_API void hawser_engine_destroy(hawser_engine_t* engine);

// The transport and its NICs, in a line for people. Good as long as the engine; "" for null.
HAWSER_API const char* hawser_engine_description(hawser_engine_t* engine);

// The names of the NICs that links may use, as a JSON array, to be given back with hawser_free().
HAWSER_API hawser_status_t hawser_engine_devices_json(hawser_engine_t* engine, char** json);

// Readable when, since the last hawser_engine_clear_event(), a transfer has ended, a notification
// or a link has arrived, or a link has gone down: for poll(2) and event loops. Clear it first, then
// look. The engine owns it. -1 for null.
HAWSER_API int hawser_engine_event_fd(hawser_engine_t* engine);
HAWSER_API hawser_status_t hawser_engine_clear_event(hawser_engine_t* engine);

// ---- memory ----

// What peers may do with a region, by its token.
typedef int32_t hawser_rights_t;
enum {
  HAWSER_RIGHTS_NONE = 0,
  HAWSER_RIGHTS_READ = 1,
  HAWSER_RIGHTS_WRITE = 2,
  HAWSER_RIGHTS_READ_WRITE = 3
};

// Registers host, pinned or CUDA memory (the driver is asked which) for transfers of this engine.
// The memory must stay until it is deregistered. Null with 0 bytes is allowed.
HAWSER_API hawser_status_t hawser_engine_register(hawser_engine_t* engine, void* data,
                                                  uint64_t bytes, hawser_rights_t rights,
                                                  hawser_region_t** region);

// What becomes of transfers under way that use a region when it is deregistered.
typedef int32_t hawser_in_flight_t;
enum {
  HAWSER_IN_FLIGHT_WAIT = 0,  // they end as they would have, the peers' too
  HAWSER_IN_FLIGHT_FAIL = 1   // they fail, on both sides
};

// New transfers are refused from now on. HAWSER_OK: nobody reads or writes the memory any more.
// HAWSER_TIMEOUT: somebody still does; it may be called again. The handle stays, to be freed.
HAWSER_API hawser_status_t hawser_region_deregister(hawser_region_t* region,
                                                    hawser_in_flight_t in_flight, int timeout_ms);
HAWSER_API void hawser_region_free(hawser_region_t* region);  // does not deregister

HAWSER_API void* hawser_region_data(hawser_region_t* region);      // null for null
HAWSER_API uint64_t hawser_region_bytes(hawser_region_t* region);  // 0 for null
HAWSER_API int hawser_region_gpu(hawser_region_t* region);         // the CUDA ordinal, or -1: host

// What a peer needs to name the region, to be sent to it by any way: HAWSER_TOKEN_BYTES bytes, for
// which `token` must have room. Who has it has the region's rights, and nobody can guess it.
#define HAWSER_TOKEN_BYTES 48
HAWSER_API hawser_status_t hawser_region_token(hawser_region_t* region, void* token,
                                               size_t capacity);

// A region of a peer: a value, to copy as you like. One that is all 0 is refused by transfers.
typedef struct hawser_remote_region {
  uint8_t token[HAWSER_TOKEN_BYTES];
  // What the token says, to look at:
  uint64_t bytes;
  int32_t gpu;  // of the peer; -1: host memory
  hawser_rights_t rights;
} hawser_remote_region_t;

// Nothing is asked of the peer: whether the token is worth anything shows when it is used.
// HAWSER_INVALID_ARGUMENT: these bytes are no token, or damaged.
HAWSER_API hawser_status_t hawser_remote_region_from_token(const void* token, size_t bytes,
                                                           hawser_remote_region_t* remote);

// ---- links ----

// Listens at an address ("0.0.0.0", "::", a host name) and a port; 0: any, hawser_acceptor_port()
// says which.
HAWSER_API hawser_status_t hawser_engine_listen(hawser_engine_t* engine, const char* address,
                                                int port, const hawser_link_options_t* options,
                                                hawser_acceptor_t** acceptor);
HAWSER_API int hawser_acceptor_port(hawser_acceptor_t* acceptor);  // -1 for null

// The next link that is up. HAWSER_TIMEOUT: none by then. HAWSER_CANCELLED: closed meanwhile.
HAWSER_API hawser_status_t hawser_acceptor_accept(hawser_acceptor_t* acceptor, int timeout_ms,
                                                  hawser_link_t** link);
// Never waits; sets `link` to null where there is none yet.
HAWSER_API hawser_status_t hawser_acceptor_try_accept(hawser_acceptor_t* acceptor,
                                                      hawser_link_t** link);
// Links it made go on. Whoever waits in hawser_acceptor_accept() returns.
HAWSER_API hawser_status_t hawser_acceptor_close(hawser_acceptor_t* acceptor);
HAWSER_API void hawser_acceptor_free(hawser_acceptor_t* acceptor);  // closes it

// Waits until the link is up: at most the options' timeout_ms, trying again where nobody listens
// yet.
HAWSER_API hawser_status_t hawser_engine_connect(hawser_engine_t* engine, const char* address,
                                                 int port, const hawser_link_options_t* options,
                                                 hawser_link_t** link);

HAWSER_API int hawser_link_up(hawser_link_t* link);                  // 1 or 0; 0 for null
HAWSER_API hawser_status_t hawser_link_status(hawser_link_t* link);  // why it is not up
// "192.0.2.7:20000". Good as long as the handle; "" for null.
HAWSER_API const char* hawser_link_peer(hawser_link_t* link);

// How the link and each of its channels are, as one JSON object, to be given back with
// hawser_free(). Its members: docs/api.md. Bindings need no structures for it.
HAWSER_API hawser_status_t hawser_link_report_json(hawser_link_t* link, char** json);

// Waits at most `timeout_ms` for transfers under way, then ends the link: what is left fails with
// HAWSER_CANCELLED here, with HAWSER_PEER there.
HAWSER_API hawser_status_t hawser_link_close(hawser_link_t* link, int timeout_ms);
HAWSER_API void hawser_link_free(hawser_link_t* link);  // does not close

// ---- asking for transfers ----

// Each of these begins a transfer and returns at once, with a handle that must be freed. HAWSER_OK
// says that there is a handle, no more: a transfer that was refused has ended, and its result says
// why. Regions must belong to the link's engine. Transfers are independent: they may end in any
// order. Messages and receives of one tag meet in the order in which they were posted.

// One piece of a one-sided transfer. No two of a batch may overlap where they are written.
typedef struct hawser_block {
  uint64_t local_offset;
  uint64_t remote_offset;
  uint64_t bytes;
} hawser_block_t;

// One piece of local memory: a message is its pieces, one after another.
typedef struct hawser_extent {
  uint64_t offset;
  uint64_t bytes;
} hawser_extent_t;

// One-sided: the peer's program takes no part.
HAWSER_API hawser_status_t hawser_link_write(hawser_link_t* link, hawser_region_t* local,
                                             uint64_t local_offset,
                                             const hawser_remote_region_t* remote,
                                             uint64_t remote_offset, uint64_t bytes,
                                             const hawser_transfer_options_t* options,
                                             hawser_transfer_t** transfer);
HAWSER_API hawser_status_t hawser_link_write_blocks(hawser_link_t* link, hawser_region_t* local,
                                                    const hawser_remote_region_t* remote,
                                                    const hawser_block_t* blocks, size_t count,
                                                    const hawser_transfer_options_t* options,
                                                    hawser_transfer_t** transfer);
HAWSER_API hawser_status_t hawser_link_read(hawser_link_t* link, hawser_region_t* local,
                                            uint64_t local_offset,
                                            const hawser_remote_region_t* remote,
                                            uint64_t remote_offset, uint64_t bytes,
                                            const hawser_transfer_options_t* options,
                                            hawser_transfer_t** transfer);
HAWSER_API hawser_status_t hawser_link_read_blocks(hawser_link_t* link, hawser_region_t* local,
                                                   const hawser_remote_region_t* remote,
                                                   const hawser_block_t* blocks, size_t count,
                                                   const hawser_transfer_options_t* options,
                                                   hawser_transfer_t** transfer);

// Two-sided: a message meets a receive of the same tag at the peer, which must have room for it:
// where it has not, both fail with HAWSER_INVALID_ARGUMENT.
HAWSER_API hawser_status_t hawser_link_send(hawser_link_t* link, uint64_t tag,
                                            hawser_region_t* local, uint64_t offset, uint64_t bytes,
                                            const hawser_transfer_options_t* options,
                                            hawser_transfer_t** transfer);
HAWSER_API hawser_status_t hawser_link_send_extents(hawser_link_t* link, uint64_t tag,
                                                    hawser_region_t* local,
                                                    const hawser_extent_t* extents, size_t count,
                                                    const hawser_transfer_options_t* options,
                                                    hawser_transfer_t** transfer);
HAWSER_API hawser_status_t hawser_link_recv(hawser_link_t* link, uint64_t tag,
                                            hawser_region_t* local, uint64_t offset, uint64_t bytes,
                                            const hawser_transfer_options_t* options,
                                            hawser_transfer_t** transfer);
HAWSER_API hawser_status_t hawser_link_recv_extents(hawser_link_t* link, uint64_t tag,
                                                    hawser_region_t* local,
                                                    const hawser_extent_t* extents, size_t count,
                                                    const hawser_transfer_options_t* options,
                                                    hawser_transfer_t** transfer);

#define HAWSER_MAX_NOTIFICATION_BYTES 4096

// Any bytes; they arrive after all writes of this link that were asked for before, and after
// earlier notifications. Done when they have arrived there.
HAWSER_API hawser_status_t hawser_link_notify(hawser_link_t* link, const void* text, size_t bytes,
                                              hawser_transfer_t** transfer);
// The same with options: `timeout_ms` and `only_if_room`.
HAWSER_API hawser_status_t hawser_link_notify_with(hawser_link_t* link, const void* text,
                                                   size_t bytes,
                                                   const hawser_transfer_options_t* options,
                                                   hawser_transfer_t** transfer);

// The oldest notification that has arrived and was not taken: its `bytes` bytes, and a 0 behind
// them, go to `text`, and `taken` is 1. There is none: `taken` is 0. `capacity` must be above
// HAWSER_MAX_NOTIFICATION_BYTES.
HAWSER_API hawser_status_t hawser_link_take_notification(hawser_link_t* link, void* text,
                                                         size_t capacity, size_t* bytes,
                                                         int* taken);

// ---- transfers ----

// "Done" means: of a write or send, that all data is applied in the peer's memory, visible to its
// CPU and GPU; of a read or recv, the same here. After an error, and after a cancel, parts of the
// destination may have been written; when the transfer has ended nothing is written any more.

HAWSER_API int hawser_transfer_done(hawser_transfer_t* transfer);  // 1 or 0; 1 for null

// HAWSER_OK: it has ended, well or not. HAWSER_TIMEOUT: not by then.
HAWSER_API hawser_status_t hawser_transfer_wait(hawser_transfer_t* transfer, int timeout_ms);

// Waits for the end, and gives what came of it. May be asked again.
HAWSER_API hawser_status_t hawser_transfer_result(hawser_transfer_t* transfer);

// Asked for; of a recv, once it has met a message, the message's. 0 for null.
HAWSER_API uint64_t hawser_transfer_bytes(hawser_transfer_t* transfer);
HAWSER_API uint64_t hawser_transfer_bytes_done(hawser_transfer_t* transfer);  // applied so far

// Asks for an early end. It may still end well; whichever it is, it ends soon.
HAWSER_API hawser_status_t hawser_transfer_cancel(hawser_transfer_t* transfer);

// Called once, from a thread of the engine, when the transfer has ended, or from
// hawser_transfer_on_done() itself, where it has already. `error` is null for HAWSER_OK, else what
// hawser_last_error() would say, good during the call. Those of one link are called one after
// another. It may wait, and make any call of hawser but one that closes or destroys its engine;
// freeing this transfer is allowed. It must not throw or jump out; it may end its thread, as a
// Python that is being shut down does: no further callback of the engine is called then.
typedef void (*hawser_done_t)(void* user, hawser_status_t status, const char* error);

// One per transfer: a second replaces the first, which is never called then.
HAWSER_API hawser_status_t hawser_transfer_on_done(hawser_transfer_t* transfer,
                                                   hawser_done_t callback, void* user);

// Gives up the handle alone: the transfer goes on, and its memory stays in use until it has ended.
HAWSER_API void hawser_transfer_free(hawser_transfer_t* transfer);

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // HAWSER_HAWSER_H
