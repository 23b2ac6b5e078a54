#include "kernel/handover.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel/proc.h"

// libuv's own, which Node exports to addons: gives a terminal back the mode it had before raw mode
// (src/unix/tty.c). Weak, because another runtime may not have it.
extern "C" __attribute__((weak)) int uv_tty_reset_mode(void);

namespace seccomp_ts {
namespace {

// Newer than the oldest headers this builds with; linux/close_range.h. One number everywhere.
constexpr long kCloseRange = 436;
constexpr unsigned kCloseRangeCloexec = 1u << 2;

void DoNothing(int) {}

// libuv makes pipes, sockets and terminals non-blocking when Node opens them as its standard
// streams, and Node undoes that only when it exits normally (src/node.cc, ResetStdio). The flag
// belongs to the open file, which others may share.
bool MayBlock(int fd) {
  struct statx s;
  return syscall(SYS_statx, fd, "", AT_EMPTY_PATH, STATX_TYPE, &s) == 0 &&
         (S_ISFIFO(s.stx_mode) || S_ISSOCK(s.stx_mode) || S_ISCHR(s.stx_mode));
}

}  // namespace

void Handover::StandardStreams() {
  for (int fd = 0; fd <= 2; fd++) {
    Descriptor(fd, F_SETFD, FD_CLOEXEC);
    if (MayBlock(fd)) Descriptor(fd, F_SETFL, O_NONBLOCK);
  }
  if (uv_tty_reset_mode != nullptr) uv_tty_reset_mode();
}

bool Handover::CloseOthers() {
  const int unlisted = ForEachNumber("/proc/self/fd", [this](int fd) {
    if (fd <= 2) return;
    const int old = fcntl(fd, F_GETFD);
    if (old < 0 || (old & FD_CLOEXEC) != 0) return;
    if (fcntl(fd, F_SETFD, old | FD_CLOEXEC) == 0) descriptors_.push_back({fd, F_SETFD, old});
  });
  // And what another thread has opened since.
  const bool closed = syscall(kCloseRange, 3u, ~0u, kCloseRangeCloexec) == 0;
  return closed || unlisted == 0;
}

void Handover::Descriptor(int fd, int set_command, int flags) {
  const int get_command = set_command == F_SETFD ? F_GETFD : F_GETFL;
  const int old = fcntl(fd, get_command);
  if (old < 0 || (old & flags) == 0) return;
  if (fcntl(fd, set_command, old & ~flags) == 0) descriptors_.push_back({fd, set_command, old});
}

void Handover::Replace(int number, const struct sigaction& old, void (*handler)(int), int flags) {
  struct sigaction replacement;
  memset(&replacement, 0, sizeof replacement);
  replacement.sa_handler = handler;
  replacement.sa_flags = flags;
  if (sigaction(number, &replacement, nullptr) == 0) signals_.push_back({number, old});
}

void Handover::IgnoredSignals() {
  for (int number = 1; number < NSIG; number++) {
    struct sigaction old;
    if (sigaction(number, nullptr, &old) != 0 || old.sa_handler != SIG_IGN) continue;
    Replace(number, old, DoNothing, SA_RESTART);
  }
}

void Handover::DefaultSignals() {
  for (int number = 1; number < NSIG; number++) {
    struct sigaction old;
    if (sigaction(number, nullptr, &old) != 0 || old.sa_handler == SIG_DFL) continue;
    Replace(number, old, SIG_DFL, 0);
  }
}

void Handover::SignalMask() {
  sigset_t none;
  sigemptyset(&none);
  mask_saved_ = sigprocmask(SIG_SETMASK, &none, &mask_) == 0;
}

void Handover::Undo() {
  if (mask_saved_) sigprocmask(SIG_SETMASK, &mask_, nullptr);
  for (const Signal& entry : signals_) sigaction(entry.number, &entry.old, nullptr);
  for (const Flags& entry : descriptors_) fcntl(entry.fd, entry.set_command, entry.old);
}

}  // namespace seccomp_ts
