// Node's own io_uring instances: finding them, and making libuv give them up in place.
//
// libuv >= 1.50 (Node 22 and later) opens one ring for every event loop, before user code runs, to
// batch epoll_ctl(2) (libuv src/unix/linux.c, uv__platform_loop_init). A seccomp filter does not
// see what is submitted through a ring, so one that is left open is a way around the filter; and a
// filter that denies io_uring_enter(2) while libuv still uses a ring makes libuv abort
// (uv__epoll_ctl_flush). docs/io-uring.md has the whole story and the argument for RetireRings().
#ifndef SECCOMP_TS_NATIVE_KERNEL_IO_URING_H_
#define SECCOMP_TS_NATIVE_KERNEL_IO_URING_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace seccomp_ts {

// What /proc says about the io_uring instances of this process.
struct RingCensus {
  // False: /proc could not be read, so nothing below means anything. Never read it as "none".
  bool known = false;
  std::vector<int> fds;  // descriptors that are rings
  // Memory mappings of rings. They keep a ring alive after its descriptor is closed, and the kernel
  // thread of an SQPOLL ring goes on consuming what is written to them.
  size_t mappings = 0;
  // SQPOLL kernel threads (io_uring/sqpoll.c). They submit with no system call at all, and can be
  // the only visible trace of a ring that was created with neither a descriptor nor a mapping.
  std::vector<pid_t> sqpoll_threads;

  // True only if it is known that no ring is left.
  bool Clear() const { return known && fds.empty() && mappings == 0 && sqpoll_threads.empty(); }
};

RingCensus ListRings();

enum class RetireRefusal : uint8_t {
  kNone,
  kProcUnreadable,    // /proc/self is absent, hidden or not ours to read
  kUnknownOwner,      // a ring that no libuv event loop owns, or a libuv layout we do not know
  kAmbiguousOwner,    // more than one structure in memory looks like the owner of a ring
  kThreadsBusy,       // a thread that runs an event loop never came to rest (`tids`)
  kRequestsInFlight,  // file operations were submitted and have not completed (`fds`)
  kRingsRemain,       // new rings appeared, or a ring outlived its last descriptor and mapping
  kConcurrentCall,    // another thread is in RetireRings()
  kOutOfMemory,
};

// What a refusal means and what the user can do, for an error message.
const char* Explain(RetireRefusal refusal);

struct RetireResult {
  RetireRefusal refusal = RetireRefusal::kNone;
  // Rings that no longer exist. A refusal for kThreadsBusy, kRequestsInFlight or kRingsRemain may
  // come after some were retired; their loops go on without one and nothing needs to be undone.
  unsigned retired = 0;
  std::vector<int> fds;     // the rings that are the reason for a refusal
  std::vector<pid_t> tids;  // the threads that are, if known

  // Figures for the status report and the tests.
  uint64_t scanned_bytes = 0;
  uint64_t scan_ns = 0;
  uint64_t total_ns = 0;
  uint32_t looks = 0;      // how often the owners of rings were looked at
  uint32_t disturbed = 0;  // how often one moved while its ring was taken away (repaired each time)

  bool Ok() const { return refusal == RetireRefusal::kNone; }
};

// Makes every libuv loop of this process drop its rings, then destroys the rings. Must be called on
// a thread that is not inside libuv's poll phase; any thread that can run a Node-API callback is
// not.
//
// `own_loop_fields` is uv_loop_t::internal_fields of the caller's own loop
// (napi_get_uv_event_loop), or null. It spares a search and lets loops that have never run be
// recognised.
//
// New loops open new rings: the caller has denied io_uring_setup(2) first.
RetireResult RetireRings(const void* own_loop_fields);

}  // namespace seccomp_ts

#endif  // SECCOMP_TS_NATIVE_KERNEL_IO_URING_H_
