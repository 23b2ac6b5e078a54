// libuv's private structure for a ring (struct uv__iou, src/uv-common.h), as far as it is needed to
// find one in memory and to know it for what it is.
#ifndef SECCOMP_TS_NATIVE_KERNEL_UV_IOU_H_
#define SECCOMP_TS_NATIVE_KERNEL_UV_IOU_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace seccomp_ts {

// include/uapi/linux/io_uring.h
struct Sqe {
  uint8_t opcode;
  uint8_t flags;
  uint16_t ioprio;
  int32_t fd;
  uint64_t off;
  uint64_t addr;
  uint32_t len;
  uint32_t op_flags;
  uint64_t user_data;
  uint64_t pad[3];
};
static_assert(sizeof(Sqe) == 64, "struct io_uring_sqe");
constexpr size_t kCqeSize = 16;  // struct io_uring_cqe

// struct uv__iou (src/uv-common.h) since v1.49.0.
struct UvIou {
  uintptr_t sqhead;
  uintptr_t sqtail;
  uint32_t sqmask;
  uintptr_t sqflags;
  uintptr_t cqhead;
  uintptr_t cqtail;
  uint32_t cqmask;
  uintptr_t sq;
  uintptr_t cqe;
  uintptr_t sqe;
  size_t sqlen;
  size_t cqlen;
  size_t maxlen;
  size_t sqelen;
  int ringfd;
  uint32_t in_flight;
};

// The same from v1.46.0 to v1.48.0.
struct UvIou146 {
  uintptr_t sqhead;
  uintptr_t sqtail;
  uintptr_t sqarray;
  uint32_t sqmask;
  uintptr_t sqflags;
  uintptr_t cqhead;
  uintptr_t cqtail;
  uint32_t cqmask;
  uintptr_t sq;
  uintptr_t cqe;
  uintptr_t sqe;
  size_t sqlen;
  size_t cqlen;
  size_t maxlen;
  size_t sqelen;
  int ringfd;
  uint32_t in_flight;
  uint32_t flags;
};
static_assert(sizeof(void*) == 8 && offsetof(UvIou, sq) == 56 && offsetof(UvIou, ringfd) == 112 &&
                  sizeof(UvIou) == 120,
              "uv__iou of libuv >= 1.49");
static_assert(offsetof(UvIou146, sq) == 64 && offsetof(UvIou146, ringfd) == 120 &&
                  sizeof(UvIou146) == 136,
              "uv__iou of libuv 1.46 to 1.48");

// What we need of either. The order differs from libuv's on purpose: a copy of this on the heap
// must not look like a structure of libuv's to the search.
struct Iou {
  int ringfd = -1;
  uint32_t in_flight = 0;
  uintptr_t address = 0;  // of the structure
  uintptr_t ringfd_address = 0;
  size_t struct_size = 0;
  uintptr_t sqes = 0;
  uintptr_t rings = 0;
  uintptr_t cqes = 0;
  uintptr_t cqtail = 0;
  uintptr_t cqhead = 0;
  uintptr_t sqflags = 0;
  uintptr_t sqtail = 0;
  uintptr_t sqhead = 0;
  uintptr_t sqarray = 0;  // 0: this libuv has none
  uint32_t sqmask = 0;
  uint32_t cqmask = 0;
  size_t sqlen = 0;
  size_t cqlen = 0;
  size_t maxlen = 0;
  size_t sqelen = 0;
};

inline uintptr_t SqArray(const UvIou&) { return 0; }
inline uintptr_t SqArray(const UvIou146& raw) { return raw.sqarray; }

template <typename Raw>
Iou Decode(const char* bytes, uintptr_t address) {
  Raw raw;
  memcpy(&raw, bytes, sizeof raw);
  Iou iou;
  iou.ringfd = raw.ringfd;
  iou.in_flight = raw.in_flight;
  iou.address = address;
  iou.ringfd_address = address + offsetof(Raw, ringfd);
  iou.struct_size = sizeof raw;
  iou.sqes = raw.sqe;
  iou.rings = raw.sq;
  iou.cqes = raw.cqe;
  iou.cqtail = raw.cqtail;
  iou.cqhead = raw.cqhead;
  iou.sqflags = raw.sqflags;
  iou.sqtail = raw.sqtail;
  iou.sqhead = raw.sqhead;
  iou.sqarray = SqArray(raw);
  iou.sqmask = raw.sqmask;
  iou.cqmask = raw.cqmask;
  iou.sqlen = raw.sqlen;
  iou.cqlen = raw.cqlen;
  iou.maxlen = raw.maxlen;
  iou.sqelen = raw.sqelen;
  return iou;
}

// Equal but for what libuv changes while a ring is in use.
bool SameStructure(const Iou& a, const Iou& b);

// Everything uv__iou_init() establishes (src/unix/linux.c) that needs no look at the ring.
bool Plausible(const Iou& iou);

}  // namespace seccomp_ts

#endif  // SECCOMP_TS_NATIVE_KERNEL_UV_IOU_H_
