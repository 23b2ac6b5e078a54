#include "kernel/uv_iou.h"

#include <algorithm>

namespace seccomp_ts {
namespace {

bool IsMask(uint32_t mask) { return mask < 65536 && (mask & (mask + 1)) == 0; }

}  // namespace

bool SameStructure(const Iou& a, const Iou& b) {
  return a.address == b.address && a.struct_size == b.struct_size && a.sqes == b.sqes &&
         a.rings == b.rings && a.cqes == b.cqes && a.cqtail == b.cqtail && a.cqhead == b.cqhead &&
         a.sqflags == b.sqflags && a.sqtail == b.sqtail && a.sqhead == b.sqhead &&
         a.sqarray == b.sqarray && a.sqmask == b.sqmask && a.cqmask == b.cqmask &&
         a.sqlen == b.sqlen && a.cqlen == b.cqlen && a.maxlen == b.maxlen && a.sqelen == b.sqelen;
}

bool Plausible(const Iou& iou) {
  auto inside = [&iou](uintptr_t word) {
    return (word & 3) == 0 && word >= iou.rings && word - iou.rings + 4 <= iou.maxlen;
  };
  if (!IsMask(iou.sqmask) || !IsMask(iou.cqmask) || iou.ringfd < 0) return false;
  if (iou.sqelen != (size_t{iou.sqmask} + 1) * sizeof(Sqe)) return false;
  if (iou.maxlen != std::max(iou.sqlen, iou.cqlen) || iou.maxlen > 1 << 24) return false;
  if (!inside(iou.sqhead) || !inside(iou.sqtail) || !inside(iou.sqflags) || !inside(iou.cqhead) ||
      !inside(iou.cqtail) || !inside(iou.cqes)) {
    return false;
  }
  if (iou.sqhead == iou.sqtail || iou.cqhead == iou.cqtail || iou.sqhead == iou.cqhead) {
    return false;
  }
  if (iou.cqes - iou.rings + (size_t{iou.cqmask} + 1) * kCqeSize != iou.cqlen) return false;
  return iou.sqarray == 0 ||
         (inside(iou.sqarray) &&
          iou.sqarray - iou.rings + (size_t{iou.sqmask} + 1) * sizeof(uint32_t) == iou.sqlen);
}

}  // namespace seccomp_ts
