// See docs/io-uring.md for the argument behind RetireRings(): what it relies on in libuv and in the
// kernel, and what could still go wrong. File names below are libuv's or the kernel's.
#include "kernel/io_uring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "kernel/proc.h"
#include "kernel/thread_rest.h"
#include "kernel/uv_iou.h"

namespace seccomp_ts {
namespace {

// include/uapi/linux/io_uring.h
constexpr uint64_t kRingsOffset = 0;          // IORING_OFF_SQ_RING
constexpr uint64_t kSqesOffset = 0x10000000;  // IORING_OFF_SQES
constexpr uint8_t kOpEpollCtl = 29;           // IORING_OP_EPOLL_CTL

// include/uapi/linux/membarrier.h
constexpr int kMembarrierPrivateExpedited = 1 << 3;
constexpr int kMembarrierRegisterPrivateExpedited = 1 << 4;

// How long RetireRings() waits for event loops to come to rest, in all.
constexpr uint64_t kRestBudgetNs = 250'000'000;
// How long a loop that moved while its ring was taken gets to reach a place where that can be
// judged.
constexpr uint64_t kSettleBudgetNs = 100'000'000;
// A Worker that starts or ends leaves a ring half built for a moment.
constexpr uint64_t kUnknownOwnerGraceNs = 200'000'000;
constexpr uint64_t kPauseNs = 50'000;

// Larger is no faster: every page of it costs a page fault the first time.
constexpr size_t kScratchSize = 32 * 1024;
// A mapping beyond this is reserved address space (a sanitizer's, a sandbox's), not a heap that
// malloc hands out small pieces of; even to learn which of its pages exist would take long.
constexpr uint64_t kSearchedMappingMax = uint64_t{64} << 30;
// struct uv__loop_internal_fields_s is 450 to 500 bytes (src/uv-common.h), and `ctl` is 200 or more
// bytes into it: that of another loop, next to ours on the heap, is further away than this.
constexpr size_t kLoopFieldsMax = 512;

uint64_t Now() {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(t.tv_nsec);
}

void Pause() {
  struct timespec t = {0, static_cast<long>(kPauseNs)};
  nanosleep(&t, nullptr);
}

uint64_t PageSize() { return static_cast<uint64_t>(sysconf(_SC_PAGESIZE)); }

uint64_t PageUp(uint64_t n) {
  const uint64_t page = PageSize();
  return (n + page - 1) / page * page;
}

// ---------------------------------------------------------------------------------------------
// /proc/self: descriptors, mappings, threads

bool IsRing(int fd) {
  char path[64];
  char target[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  if (!ReadLink(path, target, sizeof target)) return false;
  // io_uring/io_uring.c, io_uring_get_file(); the kernel lets no other file have this name.
  return strcmp(target, "anon_inode:[io_uring]") == 0;
}

bool ListRingFds(std::vector<int>* fds) {
  return ForEachNumber("/proc/self/fd", [fds](int fd) {
           if (IsRing(fd)) fds->push_back(fd);
         }) == 0;
}

struct FileId {
  uint32_t major = 0;
  uint32_t minor = 0;
  uint64_t inode = 0;  // 0: no file
  bool operator==(const FileId& o) const {
    return major == o.major && minor == o.minor && inode == o.inode;
  }
};

struct Mapping {
  uintptr_t begin = 0;
  uintptr_t end = 0;
  uint64_t offset = 0;
  FileId file;
  bool writable = false;
  bool is_private = false;
  bool ring = false;
  bool heap = false;   // [heap]
  bool stack = false;  // [stack]: the main thread's

  uint64_t size() const { return end - begin; }
  bool Contains(uintptr_t address) const { return address >= begin && address < end; }
};

bool ReadMappings(std::vector<Mapping>* mappings) {
  std::vector<char> text;
  if (ReadWholeFile("/proc/self/maps", &text) != 0) return false;
  text.push_back('\0');
  for (char* line = text.data(); *line != '\0';) {
    char* const newline = strchr(line, '\n');
    if (newline == nullptr) break;
    *newline = '\0';
    // begin-end rwxp offset major:minor inode path (fs/proc/task_mmu.c, show_map_vma)
    Mapping m;
    const char* at = line;
    m.begin = ParseNumber(&at, 16);
    if (*at++ != '-') return false;
    m.end = ParseNumber(&at, 16);
    if (*at != ' ' || m.end <= m.begin || strlen(at) < 6) return false;
    m.writable = at[1] == 'r' && at[2] == 'w';
    m.is_private = at[4] == 'p';
    at += 5;
    m.offset = ParseNumber(&at, 16);
    m.file.major = static_cast<uint32_t>(ParseNumber(&at, 16));
    if (*at++ != ':') return false;
    m.file.minor = static_cast<uint32_t>(ParseNumber(&at, 16));
    m.file.inode = ParseNumber(&at, 10);
    while (*at == ' ') at++;
    m.ring = strcmp(at, "anon_inode:[io_uring]") == 0;
    m.heap = strcmp(at, "[heap]") == 0;
    m.stack = strcmp(at, "[stack]") == 0;
    mappings->push_back(m);
    line = newline + 1;
  }
  return !mappings->empty();
}

// ---------------------------------------------------------------------------------------------
// One ring

// Our own read-only view of a ring, so that nothing below ever follows a pointer into a mapping
// that another thread can remove.
class View {
 public:
  View() = default;
  View(View&& other) noexcept { Swap(&other); }
  View& operator=(View&& other) noexcept {
    Swap(&other);
    return *this;
  }
  View(const View&) = delete;
  View& operator=(const View&) = delete;
  ~View() {
    if (rings_ != nullptr) munmap(rings_, rings_size_);
    if (sqes_ != nullptr) munmap(sqes_, sqes_size_);
  }

  bool Open(int fd, const Iou& iou) {
    rings_ = Map(fd, kRingsOffset, &rings_size_, PageUp(iou.maxlen));
    sqes_ = Map(fd, kSqesOffset, &sqes_size_, PageUp(iou.sqelen));
    return rings_ != nullptr && sqes_ != nullptr;
  }
  uint32_t Word(const Iou& iou, uintptr_t address) const {
    return __atomic_load_n(reinterpret_cast<const uint32_t*>(rings_ + (address - iou.rings)),
                           __ATOMIC_ACQUIRE);
  }
  Sqe At(const Iou& iou, uint32_t index) const {
    Sqe sqe;
    memcpy(&sqe, sqes_ + size_t{index & iou.sqmask} * sizeof sqe, sizeof sqe);
    return sqe;
  }

 private:
  static char* Map(int fd, uint64_t offset, size_t* mapped, size_t size) {
    void* p = mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, static_cast<off_t>(offset));
    if (p == MAP_FAILED) return nullptr;
    *mapped = size;
    return static_cast<char*>(p);
  }
  void Swap(View* other) {
    std::swap(rings_, other->rings_);
    std::swap(rings_size_, other->rings_size_);
    std::swap(sqes_, other->sqes_);
    std::swap(sqes_size_, other->sqes_size_);
  }
  char* rings_ = nullptr;
  size_t rings_size_ = 0;
  char* sqes_ = nullptr;
  size_t sqes_size_ = 0;
};

struct Ring {
  int fd = -1;
  FileId file;
  bool sqpoll = false;
  // From fdinfo, where the kernel tells (io_uring/fdinfo.c, 5.19 and later).
  bool masks_known = false;
  uint64_t sq_mask = 0;
  uint64_t cq_mask = 0;

  unsigned owners = 0;  // structures that claim it
  Iou iou;
  View view;
  bool rested = false;     // its owner was seen at rest at least once
  pid_t owner_tid = 0;     // last seen running the loop; 0: not known
  bool in_flight = false;  // what the last look stumbled over

  // uv__iou_init() stores ringfd before it fills the index array that kernels before 6.6 need
  // (src/unix/linux.c); without one, sqlen is just the size it would have.
  bool Built() const {
    const size_t array = (size_t{iou.sqmask} + 1) * sizeof(uint32_t);
    return iou.sqlen <= array || iou.sqlen > iou.maxlen ||
           view.Word(iou, iou.rings + iou.sqlen - sizeof(uint32_t)) == iou.sqmask;
  }
  bool SqEmpty() const { return view.Word(iou, iou.sqhead) == view.Word(iou, iou.sqtail); }
  bool CqEmpty() const { return view.Word(iou, iou.cqhead) == view.Word(iou, iou.cqtail); }
  uint32_t SqTail() const { return view.Word(iou, iou.sqtail); }
};

bool DescribeRing(int fd, Ring* ring) {
  struct statx s;
  if (GuardedSyscall(SYS_statx, static_cast<uint64_t>(fd), AsArgument(""), AT_EMPTY_PATH, STATX_INO,
                     AsArgument(&s)) != 0) {
    return false;
  }
  ring->fd = fd;
  ring->file = FileId{s.stx_dev_major, s.stx_dev_minor, s.stx_ino};
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
  File file(path);
  char text[4096];
  if (!file.ok() || !file.ReadText(text, sizeof text)) return false;
  ring->masks_known = FindNumber(text, "\nSqMask:", 16, &ring->sq_mask) &&
                      FindNumber(text, "\nCqMask:", 16, &ring->cq_mask);
  uint64_t thread = 0;
  ring->sqpoll = FindNumber(text, "\nSqThread:", 10, &thread);  // -1, no number, if there is none
  return true;
}

// ---------------------------------------------------------------------------------------------
// Retiring

// Why it is safe to take a loop's ring away at this instant.
enum class Safety : uint8_t {
  kOwnLoop,   // the caller's own loop: it cannot be polling, we are running on its thread
  kNeverRun,  // no thread has polled this loop yet
  kOwner,     // the thread that runs it is at rest outside the few calls that matter
  kEveryone,  // its thread is not known, but no other thread runs at all
};

enum class Step : uint8_t {
  kDone,
  kNotYet,
  kGone,  // the ring or its owner is not what we found: look for everything anew
};

// Evidence of rest, to be compared with the state after the store.
struct Rest {
  Safety safety = Safety::kEveryone;
  std::vector<Thread> threads;
  std::vector<ThreadLook> looks;
};

class Retirement {
 public:
  Retirement(const void* own_loop_fields, RetireResult* result)
      : own_fields_(reinterpret_cast<uintptr_t>(own_loop_fields)),
        result_(result),
        memory_("/proc/self/mem"),
        pagemap_("/proc/self/pagemap") {
    void* p =
        mmap(nullptr, kScratchSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p != MAP_FAILED) scratch_ = static_cast<char*>(p);
  }
  Retirement(const Retirement&) = delete;
  Retirement& operator=(const Retirement&) = delete;
  ~Retirement() {
    if (scratch_ != nullptr) munmap(scratch_, kScratchSize);
  }

  RetireRefusal Run();

 private:
  RetireRefusal FindEverything();
  void Scan(const Mapping& region);
  void ScanRun(uintptr_t begin, uintptr_t end);
  template <typename Raw>
  bool Consider(uintptr_t word);
  bool AllOwned() const;
  bool MatchesMappings(const Iou& iou, const Ring& ring) const;
  const Mapping* MappingAt(uintptr_t address) const;

  Safety JudgeSafety(const Ring& ring, const Mapping** stack);
  bool AtRest(Ring* ring, Rest* rest);
  bool StillAtRest(const Ring& ring, const Rest& rest) const;
  bool FindOwner(Ring* ring, const Mapping& stack);
  bool NeverRun(const Ring& ring) const;
  bool HasBarrier();
  bool ReadIou(const Ring& ring, Iou* iou) const;
  bool Idle(const Ring& ring) const { return ring.SqEmpty() && ring.CqEmpty(); }

  Step Look(Ring* ring);
  Step Drop(Ring* ring);
  Step Settle(Ring* ring);
  bool Replay(const Ring& ring) const;
  void Restore(const Ring& ring) const;
  void Destroy(Ring* ring);
  RetireRefusal RefuseBusy();
  RetireRefusal Refuse(RetireRefusal refusal, const std::vector<int>& fds) {
    result_->fds = fds;
    return refusal;
  }

  const uintptr_t own_fields_;
  RetireResult* const result_;
  const File memory_;
  const File pagemap_;
  char* scratch_ = nullptr;
  enum class Barrier : uint8_t { kUnasked, kYes, kNo } barrier_ = Barrier::kUnasked;
  // Distance from uv__loop_internal_fields_s to its member `ctl`, learnt from our own loop; it
  // depends on the C library (uv_mutex_t). 0: not known.
  size_t ctl_offset_ = 0;

  std::vector<Mapping> mappings_;
  std::vector<uintptr_t> bases_;  // of ring mappings with the SQ and CQ rings, sorted
  std::vector<Ring> rings_;
  uint64_t deadline_ = 0;
};

const Mapping* Retirement::MappingAt(uintptr_t address) const {
  for (const Mapping& m : mappings_) {
    if (m.Contains(address)) return &m;
  }
  return nullptr;
}

// The structure's two mappings exist, are exactly as long as it says, and belong to this ring.
bool Retirement::MatchesMappings(const Iou& iou, const Ring& ring) const {
  const Mapping* rings = MappingAt(iou.rings);
  const Mapping* sqes = MappingAt(iou.sqes);
  if (rings == nullptr || sqes == nullptr || !rings->ring || !sqes->ring) return false;
  if (rings->begin != iou.rings || rings->offset != kRingsOffset ||
      rings->size() != PageUp(iou.maxlen)) {
    return false;
  }
  if (sqes->begin != iou.sqes || sqes->offset != kSqesOffset ||
      sqes->size() != PageUp(iou.sqelen)) {
    return false;
  }
  // Each ring has an inode of its own since Linux 5.13 or so; before, all have the same, and the
  // comparison is true but says nothing.
  if (!(rings->file == ring.file) || !(sqes->file == ring.file)) return false;
  return !ring.masks_known || (ring.sq_mask == iou.sqmask && ring.cq_mask == iou.cqmask);
}

// `word` holds the base address of a ring: is it the `sq` member of a structure of libuv's?
template <typename Raw>
bool Retirement::Consider(uintptr_t word) {
  const uintptr_t address = word - offsetof(Raw, sq);
  char bytes[sizeof(Raw)];
  if (pread(memory_.fd(), bytes, sizeof bytes, static_cast<off_t>(address)) != sizeof bytes) {
    return false;
  }
  const Iou iou = Decode<Raw>(bytes, address);
  memset(bytes, 0, sizeof bytes);
  if (!Plausible(iou)) return false;
  for (Ring& ring : rings_) {
    if (ring.fd != iou.ringfd || !MatchesMappings(iou, ring)) continue;
    if (ring.owners == 0 || ring.iou.address != address) ring.owners++;
    ring.iou = iou;
    return true;
  }
  return false;
}

bool Retirement::AllOwned() const {
  return std::all_of(rings_.begin(), rings_.end(), [](const Ring& r) { return r.owners != 0; });
}

void Retirement::ScanRun(uintptr_t begin, uintptr_t end) {
  const uintptr_t low = bases_.front();
  const uintptr_t span = bases_.back() - low;
  while (begin < end) {
    const size_t want = std::min<size_t>(kScratchSize, end - begin);
    ssize_t got = pread(memory_.fd(), scratch_, want, static_cast<off_t>(begin));
    if (got <= 0) return;  // unmapped meanwhile
    result_->scanned_bytes += static_cast<uint64_t>(got);
    const auto* words = reinterpret_cast<const uintptr_t*>(scratch_);
    const size_t count = static_cast<size_t>(got) / sizeof(uintptr_t);
    for (size_t i = 0; i < count; i++) {
      if (words[i] - low > span) continue;
      if (!std::binary_search(bases_.begin(), bases_.end(), words[i])) continue;
      const uintptr_t word = begin + i * sizeof(uintptr_t);
      // The old layout first: without its first member it reads like the new one. The reverse
      // cannot happen, because what precedes the new one is no address of a ring.
      if (!Consider<UvIou146>(word)) Consider<UvIou>(word);
    }
    begin += static_cast<size_t>(got);
  }
}

// Reads only pages that exist: reading others would make the kernel build page tables for what may
// be gigabytes of reserved address space.
void Retirement::Scan(const Mapping& region) {
  const uint64_t page = PageSize();
  constexpr size_t kBatch = 512;
  uint64_t entries[kBatch];
  constexpr uint64_t kPresentOrSwapped = uint64_t{3} << 62;  // admin-guide/mm/pagemap.rst
  for (uintptr_t at = region.begin; at < region.end;) {
    size_t pages = std::min<size_t>(kBatch, (region.end - at) / page);
    const ssize_t want = static_cast<ssize_t>(pages * sizeof entries[0]);
    if (!pagemap_.ok() || pread(pagemap_.fd(), entries, static_cast<size_t>(want),
                                static_cast<off_t>(at / page * sizeof entries[0])) != want) {
      ScanRun(at, region.end);
      return;
    }
    for (size_t i = 0; i < pages;) {
      if ((entries[i] & kPresentOrSwapped) == 0) {
        i++;
        continue;
      }
      size_t end = i;
      while (end < pages && (entries[end] & kPresentOrSwapped) != 0) end++;
      ScanRun(at + i * page, at + end * page);
      i = end;
    }
    at += pages * page;
  }
}

// Which memory to search first. The structure is allocated with libuv's allocator, malloc, so: the
// main heap; then glibc's other arenas, which start at multiples of 64 MiB (malloc/arena.c,
// HEAP_MAX_SIZE); then what else is anonymous, small before large; V8's heap is in there.
int ScanRank(const Mapping& m) {
  if (m.heap) return 0;
  if (m.file.inode != 0) return 3;
  return m.begin % (64 << 20) == 0 ? 1 : 2;
}

RetireRefusal Retirement::FindEverything() {
  mappings_.clear();
  rings_.clear();
  bases_.clear();
  std::vector<int> fds;
  if (!ListRingFds(&fds) || !ReadMappings(&mappings_)) return RetireRefusal::kProcUnreadable;
  for (int fd : fds) {
    Ring ring;
    if (DescribeRing(fd, &ring)) {
      rings_.push_back(std::move(ring));
    } else if (IsRing(fd)) {
      return RetireRefusal::kProcUnreadable;
    }  // else it was closed just now
  }
  for (const Mapping& m : mappings_) {
    if (!m.ring) continue;
    if (m.offset == kRingsOffset) bases_.push_back(m.begin);
    const bool has_fd =
        std::any_of(rings_.begin(), rings_.end(), [&m](const Ring& r) { return r.file == m.file; });
    if (!has_fd) return RetireRefusal::kUnknownOwner;  // a mapping alone: not libuv's doing
  }
  if (rings_.empty()) return RetireRefusal::kNone;
  // Without both mappings a ring is being set up or taken down, or is not libuv's: no use
  // searching.
  std::vector<int> unknown;
  for (const Ring& ring : rings_) {
    auto has = [&](uint64_t offset) {
      return std::any_of(mappings_.begin(), mappings_.end(), [&](const Mapping& m) {
        return m.ring && m.offset == offset && m.file == ring.file;
      });
    };
    if (!has(kRingsOffset) || !has(kSqesOffset)) unknown.push_back(ring.fd);
  }
  if (!unknown.empty()) return Refuse(RetireRefusal::kUnknownOwner, unknown);
  std::sort(bases_.begin(), bases_.end());

  if (own_fields_ != 0) ScanRun(own_fields_, own_fields_ + kLoopFieldsMax);
  if (!AllOwned()) {
    std::vector<const Mapping*> order;
    const uintptr_t here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
    const uintptr_t scratch = reinterpret_cast<uintptr_t>(scratch_);
    for (const Mapping& m : mappings_) {
      if (!m.writable || !m.is_private || m.stack || m.Contains(here) ||
          m.size() > kSearchedMappingMax) {
        continue;
      }
      order.push_back(&m);
    }
    std::sort(order.begin(), order.end(), [](const Mapping* a, const Mapping* b) {
      const int rank_a = ScanRank(*a);
      const int rank_b = ScanRank(*b);
      return rank_a != rank_b ? rank_a < rank_b : a->size() < b->size();
    });
    for (const Mapping* m : order) {
      if (AllOwned()) break;
      if (!m->Contains(scratch)) {
        Scan(*m);
        continue;
      }
      // Our own buffer holds copies of what was read.
      Mapping part = *m;
      part.end = scratch;
      Scan(part);
      part.begin = std::min(m->end, scratch + kScratchSize);
      part.end = m->end;
      Scan(part);
    }
  }
  std::vector<int> ambiguous;
  for (Ring& ring : rings_) {
    if (ring.owners == 0) unknown.push_back(ring.fd);
    if (ring.owners > 1) ambiguous.push_back(ring.fd);
    if (ring.owners == 1 && !ring.view.Open(ring.fd, ring.iou)) unknown.push_back(ring.fd);
  }
  if (!unknown.empty()) return Refuse(RetireRefusal::kUnknownOwner, unknown);
  if (!ambiguous.empty()) return Refuse(RetireRefusal::kAmbiguousOwner, ambiguous);

  for (const Ring& ring : rings_) {
    const uintptr_t offset = ring.iou.address - own_fields_;
    if (own_fields_ != 0 && !ring.sqpoll && offset < kLoopFieldsMax) ctl_offset_ = offset;
  }
  // SQPOLL rings first: they have no record of who polls their loop but the ring beside them.
  std::partition(rings_.begin(), rings_.end(), [](const Ring& r) { return r.sqpoll; });
  return RetireRefusal::kNone;
}

bool Retirement::ReadIou(const Ring& ring, Iou* iou) const {
  char bytes[sizeof(UvIou146)];
  const size_t size = ring.iou.struct_size;
  if (pread(memory_.fd(), bytes, size, static_cast<off_t>(ring.iou.address)) !=
      static_cast<ssize_t>(size)) {
    return false;
  }
  *iou = size == sizeof(UvIou) ? Decode<UvIou>(bytes, ring.iou.address)
                               : Decode<UvIou146>(bytes, ring.iou.address);
  return true;
}

// uv_run() counts an iteration (src/unix/core.c, uv__metrics_inc_loop_count) just before it calls
// uv__io_poll(), and that registers at least the loop's own wakeup descriptor the first time.
bool Retirement::NeverRun(const Ring& ring) const {
  if (ctl_offset_ == 0 || ring.sqpoll || ring.SqTail() != 0 || !ring.Built()) return false;
  // struct uv__loop_internal_fields_s: unsigned flags; uv_metrics_t{uint64_t loop_count; ...}
  const uintptr_t address = ring.iou.address - ctl_offset_ + sizeof(uint64_t);
  uint64_t loop_count = 1;
  return pread(memory_.fd(), &loop_count, sizeof loop_count, static_cast<off_t>(address)) ==
             sizeof loop_count &&
         loop_count == 0;
}

// Registering takes the kernel a while in a process with threads, so only who needs it asks.
bool Retirement::HasBarrier() {
  if (barrier_ == Barrier::kUnasked) {
    const bool registered =
        GuardedSyscall(SYS_membarrier, kMembarrierRegisterPrivateExpedited) == 0;
    barrier_ = registered ? Barrier::kYes : Barrier::kNo;
  }
  return barrier_ == Barrier::kYes;
}

Safety Retirement::JudgeSafety(const Ring& ring, const Mapping** stack) {
  *stack = nullptr;
  if (own_fields_ != 0 && ring.iou.address - own_fields_ < kLoopFieldsMax) return Safety::kOwnLoop;
  // It needs a barrier on the other threads' side; without one it is simply not used.
  if (NeverRun(ring) && HasBarrier()) return Safety::kNeverRun;
  // The last request libuv put in the ring that batches epoll_ctl points to `prep`, a local
  // variable of uv__io_poll(): that tells on whose stack the loop runs. `ctl` and `iou` are
  // neighbours.
  const Ring* ctl = &ring;
  if (ring.sqpoll) {
    ctl = nullptr;
    for (const Ring& other : rings_) {
      if (!other.sqpoll && other.fd >= 0 &&
          other.iou.address + other.iou.struct_size == ring.iou.address) {
        ctl = &other;
      }
    }
  }
  if (ctl == nullptr || ctl->SqTail() == 0) return Safety::kEveryone;
  const Sqe last = ctl->view.At(ctl->iou, ctl->SqTail() - 1);
  if (last.opcode != kOpEpollCtl) return Safety::kEveryone;
  const Mapping* mapping = MappingAt(last.addr);
  if (mapping == nullptr || !mapping->writable || !mapping->is_private) return Safety::kEveryone;
  if (mapping->Contains(reinterpret_cast<uintptr_t>(__builtin_frame_address(0)))) {
    return Safety::kOwnLoop;
  }
  *stack = mapping;
  return Safety::kOwner;
}

// Which thread's stack is it? Only a thread at rest shows its stack pointer.
bool Retirement::FindOwner(Ring* ring, const Mapping& stack) {
  std::vector<pid_t> tids;
  if (!ListOtherThreads(&tids)) return false;
  for (pid_t tid : tids) {
    ThreadLook look;
    if (!Thread(tid).Rests(&look) || !stack.Contains(look.stack_pointer)) continue;
    ring->owner_tid = tid;
    return true;
  }
  return false;
}

bool Retirement::AtRest(Ring* ring, Rest* rest) {
  const Mapping* stack = nullptr;
  rest->safety = JudgeSafety(*ring, &stack);
  rest->threads.clear();
  rest->looks.clear();
  if (rest->safety == Safety::kOwnLoop || rest->safety == Safety::kNeverRun) return true;
  if (rest->safety == Safety::kOwner && ring->owner_tid == 0 && !FindOwner(ring, *stack)) {
    // Its owner runs, or has ended and left its stack behind.
    rest->safety = Safety::kEveryone;
  }
  std::vector<pid_t> tids;
  if (rest->safety == Safety::kOwner) {
    tids.push_back(ring->owner_tid);
  } else if (!ListOtherThreads(&tids)) {
    return false;
  }
  for (pid_t tid : tids) {
    Thread thread(tid);
    ThreadLook look;
    if (!thread.Rests(&look)) return false;
    if (rest->safety == Safety::kOwner && !stack->Contains(look.stack_pointer)) {
      ring->owner_tid = 0;  // another thread has got its number
      return false;
    }
    rest->threads.push_back(std::move(thread));
    rest->looks.push_back(look);
  }
  return true;
}

bool Retirement::StillAtRest(const Ring& ring, const Rest& rest) const {
  switch (rest.safety) {
    case Safety::kOwnLoop:
      return true;
    case Safety::kNeverRun:
      return NeverRun(ring);
    case Safety::kEveryone: {
      std::vector<pid_t> tids;
      if (!ListOtherThreads(&tids) || tids.size() != rest.threads.size()) return false;
      break;
    }
    case Safety::kOwner:
      break;
  }
  for (size_t i = 0; i < rest.threads.size(); i++) {
    if (!rest.threads[i].HasNotRunSince(rest.looks[i])) return false;
  }
  return true;
}

// Whether the ring could be dropped now; changes nothing.
Step Retirement::Look(Ring* ring) {
  result_->looks++;
  Rest rest;
  Iou iou;
  ring->in_flight = false;
  if (!ReadIou(*ring, &iou) || !SameStructure(iou, ring->iou) || iou.ringfd != ring->fd) {
    return Step::kGone;
  }
  if (iou.in_flight != 0 || !Idle(*ring)) {
    ring->in_flight = true;
    return Step::kNotYet;
  }
  return AtRest(ring, &rest) ? Step::kDone : Step::kNotYet;
}

Step Retirement::Drop(Ring* ring) {
  result_->looks++;
  Rest rest;
  Iou iou;
  ring->in_flight = false;
  // Registering takes too long to do it between seeing the owner at rest and the store. Our own
  // loop is on this very thread and needs no barrier.
  const Mapping* stack = nullptr;
  const bool others_involved = JudgeSafety(*ring, &stack) != Safety::kOwnLoop;
  if (others_involved) HasBarrier();
  if (!AtRest(ring, &rest)) return Step::kNotYet;
  // Read after the owner was seen at rest: if it stays so, what is read now holds at the store.
  if (!ReadIou(*ring, &iou) || !SameStructure(iou, ring->iou) || iou.ringfd != ring->fd) {
    return Step::kGone;
  }
  if (iou.in_flight != 0 || !Idle(*ring)) {
    ring->in_flight = true;
    return Step::kNotYet;
  }

  // The one write to memory that is not ours. -1 is libuv's own "this loop has no ring"
  // (src/unix/linux.c, uv__platform_loop_init).
  int expected = ring->fd;
  if (!__atomic_compare_exchange_n(reinterpret_cast<int*>(iou.ringfd_address), &expected, -1, false,
                                   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
    return Step::kGone;
  }
  // Every other thread passes a full barrier: what it does later sees the store, and what it did
  // before is seen by the second look.
  const bool passed = others_involved && HasBarrier() &&
                      GuardedSyscall(SYS_membarrier, kMembarrierPrivateExpedited) == 0;
  if (rest.safety == Safety::kNeverRun && !passed) {
    Restore(*ring);
    return Step::kNotYet;
  }

  if (StillAtRest(*ring, rest) && Idle(*ring)) {
    Destroy(ring);
    return Step::kDone;
  }
  result_->disturbed++;
  return Settle(ring);
}

// The owner ran while its ring was taken. It sees the store by now and will not enter the ring
// again; the one thing that can be wrong is a request it had decided to queue before, and will
// never submit. (It cannot have been half way through submitting: see docs/io-uring.md.)
Step Retirement::Settle(Ring* ring) {
  const uint64_t end = Now() + kSettleBudgetNs;
  while (Now() < end) {
    Rest rest;
    Iou iou;
    if (!IsRing(ring->fd)) return Step::kGone;
    if (!AtRest(ring, &rest)) {
      Pause();
      continue;
    }
    if (!ReadIou(*ring, &iou) || !SameStructure(iou, ring->iou) || iou.ringfd != -1) {
      return Step::kGone;
    }
    const bool settled = ring->CqEmpty() && (ring->SqEmpty() || Replay(*ring));
    if (settled && StillAtRest(*ring, rest)) {
      Destroy(ring);
      return Step::kDone;
    }
    Pause();
  }
  Restore(*ring);
  return Step::kNotYet;
}

// Does for the owner, which is at rest, what its unsubmitted requests ask for, the way libuv does
// it without a ring (uv__io_poll: EPOLL_CTL_ADD, and EPOLL_CTL_MOD if that says EEXIST).
bool Retirement::Replay(const Ring& ring) const {
  if (ring.sqpoll) return false;
  const uint32_t tail = ring.SqTail();
  for (uint32_t i = ring.view.Word(ring.iou, ring.iou.sqhead); i != tail; i++) {
    const Sqe sqe = ring.view.At(ring.iou, i);
    const int target = static_cast<int>(sqe.off);
    struct epoll_event event;
    if (sqe.opcode != kOpEpollCtl ||
        pread(memory_.fd(), &event, sizeof event, static_cast<off_t>(sqe.addr)) != sizeof event) {
      return false;
    }
    // uv__io_poll() stores the descriptor with the event: if it differs, `prep` is no longer there.
    if (sqe.len != EPOLL_CTL_DEL && event.data.fd != target) return false;
    if (epoll_ctl(sqe.fd, static_cast<int>(sqe.len), target, &event) == 0) continue;
    if (sqe.len == EPOLL_CTL_DEL) continue;  // libuv ignores these errors too
    if (sqe.len != EPOLL_CTL_ADD || errno != EEXIST) return false;
    if (epoll_ctl(sqe.fd, EPOLL_CTL_MOD, target, &event) != 0) return false;
  }
  return true;
}

// Gives the ring back. Safe at any point of libuv's code: wherever it sees a ring it can use it.
void Retirement::Restore(const Ring& ring) const {
  Iou iou;
  if (!ReadIou(ring, &iou) || !SameStructure(iou, ring.iou) || !IsRing(ring.fd)) return;
  int expected = -1;
  __atomic_compare_exchange_n(reinterpret_cast<int*>(iou.ringfd_address), &expected, ring.fd, false,
                              __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

// Nobody else uses the ring now, and libuv will neither unmap nor close it: uv__iou_delete() looks
// at ringfd first.
void Retirement::Destroy(Ring* ring) {
  ring->view = View();
  munmap(reinterpret_cast<void*>(ring->iou.rings), PageUp(ring->iou.maxlen));
  munmap(reinterpret_cast<void*>(ring->iou.sqes), PageUp(ring->iou.sqelen));
  close(ring->fd);
  ring->fd = -1;
  result_->retired++;
}

RetireRefusal Retirement::RefuseBusy() {
  bool in_flight = false;
  bool unknown = false;
  const bool all_rested =
      std::all_of(rings_.begin(), rings_.end(), [](const Ring& r) { return r.rested; });
  for (const Ring& ring : rings_) {
    if (ring.fd < 0 || (ring.rested && !all_rested)) continue;
    result_->fds.push_back(ring.fd);
    in_flight = in_flight || ring.in_flight;
    if (ring.owner_tid != 0) {
      result_->tids.push_back(ring.owner_tid);
    } else {
      unknown = true;
    }
  }
  if (in_flight) return RetireRefusal::kRequestsInFlight;
  if (unknown) {
    // Then it is one of those that are running.
    std::vector<pid_t> tids;
    ListOtherThreads(&tids);
    for (pid_t tid : tids) {
      ThreadLook look;
      if (!Thread(tid).Rests(&look)) result_->tids.push_back(tid);
    }
  }
  std::sort(result_->tids.begin(), result_->tids.end());
  result_->tids.erase(std::unique(result_->tids.begin(), result_->tids.end()), result_->tids.end());
  return RetireRefusal::kThreadsBusy;
}

RetireRefusal Retirement::Run() {
  if (scratch_ == nullptr) return RetireRefusal::kOutOfMemory;
  if (!memory_.ok()) return RetireRefusal::kProcUnreadable;
  const uint64_t start = Now();
  int attempts = 0;
  for (;;) {
    const uint64_t scan_start = Now();
    const RetireRefusal refusal = FindEverything();
    result_->scan_ns += Now() - scan_start;
    if (refusal == RetireRefusal::kUnknownOwner || refusal == RetireRefusal::kAmbiguousOwner) {
      // A search of a large heap may take longer than that: try twice in any case.
      if (++attempts >= 2 && Now() - start > kUnknownOwnerGraceNs) return refusal;
      Pause();
      continue;
    }
    if (refusal != RetireRefusal::kNone || rings_.empty()) return refusal;
    result_->fds.clear();
    if (deadline_ == 0) deadline_ = Now() + kRestBudgetNs;

    // First see every owner at rest once, so that the usual reason for a refusal, a thread that
    // never comes to rest, shows before anything is changed.
    bool gone = false;
    for (bool waiting = true; waiting && !gone;) {
      waiting = false;
      for (Ring& ring : rings_) {
        if (ring.rested) continue;
        const Step step = Look(&ring);
        ring.rested = step == Step::kDone;
        gone = gone || step == Step::kGone;
        waiting = waiting || step == Step::kNotYet;
        const Mapping* stack;
        // Our own loop cannot progress while we wait for it.
        if (ring.in_flight && JudgeSafety(ring, &stack) == Safety::kOwnLoop) return RefuseBusy();
      }
      if (waiting && Now() > deadline_) return RefuseBusy();
      if (waiting) Pause();
    }
    for (bool waiting = true; waiting && !gone;) {
      waiting = false;
      for (Ring& ring : rings_) {
        if (ring.fd < 0) continue;
        const Step step = Drop(&ring);
        gone = gone || step == Step::kGone;
        waiting = waiting || step == Step::kNotYet;
      }
      if (waiting && Now() > deadline_) return RefuseBusy();
      if (waiting) Pause();
    }
    rings_.clear();  // closes our views of them
    // Again from the start: a thread may have opened or closed a ring meanwhile.
    if (Now() > deadline_) return gone ? RetireRefusal::kRingsRemain : RetireRefusal::kNone;
  }
}

int retiring;  // one call at a time: two could each see what the other has half done

}  // namespace

RingCensus ListRings() {
  RingCensus census;
  std::vector<Mapping> mappings;
  const bool threads_known = ForEachNumber("/proc/self/task", [&census](int tid) {
                               bool sqpoll = false;
                               RunsNoUserCode(tid, &sqpoll);
                               if (sqpoll) census.sqpoll_threads.push_back(tid);
                             }) == 0;
  census.known = threads_known && ListRingFds(&census.fds) && ReadMappings(&mappings);
  for (const Mapping& m : mappings) census.mappings += m.ring ? 1 : 0;
  return census;
}

RetireResult RetireRings(const void* own_loop_fields) {
  RetireResult result;
  int expected = 0;
  if (!__atomic_compare_exchange_n(&retiring, &expected, 1, false, __ATOMIC_ACQ_REL,
                                   __ATOMIC_ACQUIRE)) {
    result.refusal = RetireRefusal::kConcurrentCall;
    return result;
  }
  const uint64_t start = Now();
  result.refusal = Retirement(own_loop_fields, &result).Run();
  if (result.refusal == RetireRefusal::kNone) {
    // The kernel takes a ring apart, and stops its SQPOLL thread, a moment after the last reference
    // is gone (io_uring/io_uring.c, io_ring_exit_work).
    for (const uint64_t end = Now() + kSettleBudgetNs;;) {
      RingCensus census = ListRings();
      if (census.Clear()) break;
      if (!census.known) {
        result.refusal = RetireRefusal::kProcUnreadable;
        break;
      }
      if (Now() > end || !census.fds.empty()) {
        result.refusal = RetireRefusal::kRingsRemain;
        result.fds = census.fds;
        result.tids = census.sqpoll_threads;
        break;
      }
      Pause();
    }
  }
  result.total_ns = Now() - start;
  __atomic_store_n(&retiring, 0, __ATOMIC_RELEASE);
  return result;
}

const char* Explain(RetireRefusal refusal) {
  switch (refusal) {
    case RetireRefusal::kNone:
      return "every io_uring instance is gone";
    case RetireRefusal::kProcUnreadable:
      return "/proc/self cannot be read, so it is not known whether io_uring instances exist";
    case RetireRefusal::kUnknownOwner:
      return "an io_uring instance belongs to no libuv event loop that is known here; another "
             "native module may use it";
    case RetireRefusal::kAmbiguousOwner:
      return "more than one structure in memory looks like the owner of an io_uring instance";
    case RetireRefusal::kThreadsBusy:
      return "a thread with an event loop did not come to rest; lock down before Workers are "
             "started, or while they wait";
    case RetireRefusal::kRequestsInFlight:
      return "file operations are under way in an io_uring instance; wait for them, or unset "
             "UV_USE_IO_URING";
    case RetireRefusal::kRingsRemain:
      return "io_uring instances appeared again or did not go away; lock down before Workers are "
             "started";
    case RetireRefusal::kConcurrentCall:
      return "another thread is retiring io_uring instances";
    case RetireRefusal::kOutOfMemory:
      return "out of memory";
  }
  return "";
}

}  // namespace seccomp_ts
