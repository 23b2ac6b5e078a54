#include "kernel/exec.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel/handover.h"
#include "kernel/installed.h"

namespace seccomp_ts {
namespace {

// Under the filter: system calls and nothing else. It may refuse these too, or kill for them.
[[noreturn]] void Fail(const char* message, size_t length, int error) {
  syscall(SYS_write, 2, message, length);
  for (;;) syscall(SYS_exit_group, error == ENOENT ? 127 : 126);
}

}  // namespace

InstallResult Exec(const std::vector<sock_filter>& program, const ExecOptions& options,
                   const char* path, char* const* arguments, char* const* environment) {
  const uint32_t flags = options.log ? SECCOMP_FILTER_FLAG_LOG : 0;
  InstallResult result;
  if (!CanInstall(program, flags, &result) || !SetNoNewPrivs(&result)) return result;

  std::vector<sock_filter> copy = program;
  sock_fprog fprog = {static_cast<unsigned short>(copy.size()), copy.data()};
  char message[64];
  Handover handover;
  handover.StandardStreams();
  if (!handover.CloseOthers()) {
    handover.Undo();
    result.outcome = InstallOutcome::kCensusUnavailable;
    result.error = ENOENT;
    return result;
  }
  handover.SignalMask();
  handover.DefaultSignals();
  const long failed =
      GuardedSyscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, AsArgument(&fprog));
  if (failed != 0) {
    handover.Undo();
    result.outcome = InstallOutcome::kSeccompFailed;
    result.error = static_cast<int>(-failed);
    return result;
  }
  execve(path, arguments, environment);
  const int error = errno;
  const int length =
      snprintf(message, sizeof message, "seccomp-ts: execve failed (errno %d)\n", error);
  Fail(message, static_cast<size_t>(length), error);
}

}  // namespace seccomp_ts
