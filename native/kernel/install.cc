#include "kernel/install.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "compiler/interpreter.h"
#include "kernel/installed.h"

// Newer than the oldest headers this builds with; linux/seccomp.h.
#ifndef SECCOMP_FILTER_FLAG_TSYNC_ESRCH
#define SECCOMP_FILTER_FLAG_TSYNC_ESRCH (1UL << 4)
#endif

namespace seccomp_ts {
namespace {

// The result, or -errno. An earlier policy of this process may forbid the call, or kill for it.
long Seccomp(unsigned int operation, unsigned int flags, void* args) {
  return GuardedSyscall(SYS_seccomp, operation, flags, AsArgument(args));
}

long Prctl(int option, uint64_t argument = 0) {
  return GuardedSyscall(SYS_prctl, static_cast<uint64_t>(option), argument);
}

InstallResult Fail(InstallOutcome outcome, int error = 0, pid_t tid = 0, uint32_t detail = 0) {
  InstallResult result;
  result.outcome = outcome;
  result.error = error;
  result.tid = tid;
  result.detail = detail;
  return result;
}

// TSYNC moves a thread only if its filters are an older state of the caller's
// (kernel/seccomp.c: is_ancestor). More filters than the caller has cannot be that. Finding it
// before anything is changed spares the caller a process that has no_new_privs and no filter.
pid_t FindDiverged(const std::vector<ThreadState>& threads, pid_t self) {
  int own = -1;
  for (const ThreadState& thread : threads) {
    if (thread.tid == self) own = thread.filters;
  }
  for (const ThreadState& thread : threads) {
    if (thread.mode == SECCOMP_MODE_STRICT || thread.filters > own) return thread.tid;
  }
  return 0;
}

// Everything that could be refused is asked before anything is changed.
bool CheckSupport(const std::vector<sock_filter>& program, uint32_t flags, InstallResult* failure) {
  const int known = ProbeFlag(0);
  if (known != 0) {
    const long mode = Prctl(PR_GET_SECCOMP);
    *failure = Fail(
        mode == SECCOMP_MODE_FILTER ? InstallOutcome::kDenied : InstallOutcome::kNoSeccomp, known);
    // EPERM and EACCES are no answer of a kernel without seccomp, whatever prctl could see.
    if (known == EPERM || known == EACCES) failure->outcome = InstallOutcome::kDenied;
    return false;
  }
  for (uint32_t bit = 1; bit != 0 && bit <= flags; bit <<= 1) {
    if ((flags & bit) != 0 && ProbeFlag(bit) != 0) {
      *failure = Fail(InstallOutcome::kUnsupportedFlag, 0, 0, bit);
      return false;
    }
  }
  for (const sock_filter& instruction : program) {
    if (instruction.code != (BPF_RET | BPF_K)) continue;
    const uint32_t action = instruction.k & SECCOMP_RET_ACTION_FULL;
    if (ProbeAction(action) != 0) {
      *failure = Fail(InstallOutcome::kUnsupportedAction, 0, 0, action);
      return false;
    }
  }
  return true;
}

// With TSYNC_ESRCH the kernel does not say which thread it was; without, the positive result is
// its id (man 2 seccomp). A thread may meanwhile have ended: then this very call installs.
long SyncNamed(uint32_t flags, sock_fprog* fprog) {
  return Seccomp(SECCOMP_SET_MODE_FILTER,
                 flags & ~static_cast<uint32_t>(SECCOMP_FILTER_FLAG_TSYNC_ESRCH), fprog);
}

// The thread that does not show the filter, or 0.
pid_t FindUnfiltered(const std::vector<ThreadState>& threads, int filters_before) {
  for (const ThreadState& thread : threads) {
    const bool counted = thread.filters == -1 || thread.filters > filters_before;
    if (thread.mode != SECCOMP_MODE_FILTER || !counted) return thread.tid;
  }
  return 0;
}

// Whoever asks is a thread of this process: without it in the list, the list says nothing.
bool Lists(const std::vector<ThreadState>& threads, pid_t tid) {
  for (const ThreadState& thread : threads) {
    if (thread.tid == tid) return true;
  }
  return false;
}

// A thread that is on its way out takes no filter any more (kernel/seccomp.c, seccomp_sync_threads
// skips PF_EXITING), and is still listed for a moment.
void VerifyThreads(PreparedCensus* prepared, pid_t self, int filters_before,
                   InstallResult* result) {
  constexpr int kLooks = 50;
  const timespec pause = {0, 2'000'000};
  for (int look = 0; look < kLooks; look++) {
    if (look > 0) GuardedSyscall(SYS_nanosleep, AsArgument(&pause));
    Census census = prepared->Finish();
    result->threads = census.threads;
    result->error = census.error;
    if (census.error == 0 && !Lists(census.threads, self)) result->error = ENODATA;
    result->tid = FindUnfiltered(census.threads, filters_before);
    if (result->tid == 0 && result->error == 0) {
      result->outcome = InstallOutcome::kInstalled;
      return;
    }
  }
  result->outcome =
      result->tid != 0 ? InstallOutcome::kThreadUnfiltered : InstallOutcome::kCensusIncomplete;
}

}  // namespace

int ProbeFlag(uint32_t flag) {
  const long result = Seccomp(SECCOMP_SET_MODE_FILTER, flag, nullptr);
  if (result == -EFAULT) return 0;
  return result < 0 ? static_cast<int>(-result) : EINVAL;
}

int ProbeAction(uint32_t action) {
  return static_cast<int>(-Seccomp(SECCOMP_GET_ACTION_AVAIL, 0, &action));
}

bool CanInstall(const std::vector<sock_filter>& program, uint32_t flags, InstallResult* failure) {
  ProgramFault fault;
  if (!ValidateProgram(program.data(), program.size(), &fault)) {
    *failure = Fail(InstallOutcome::kInvalidProgram);
    return false;
  }
  return CheckSupport(program, flags, failure);
}

bool SetNoNewPrivs(InstallResult* failure) {
  const long refused = Prctl(PR_SET_NO_NEW_PRIVS, 1);
  if (refused == 0) return true;
  *failure = Fail(InstallOutcome::kNoNewPrivsRefused, static_cast<int>(-refused));
  return false;
}

InstallResult Install(const std::vector<sock_filter>& program, const InstallOptions& options) {
  uint32_t flags = SECCOMP_FILTER_FLAG_TSYNC;
  if (options.log) flags |= SECCOMP_FILTER_FLAG_LOG;
  if (options.spec_allow) flags |= SECCOMP_FILTER_FLAG_SPEC_ALLOW;
  if (options.listener) {
    flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
  }
  InstallResult failure;
  if (!CanInstall(program, flags, &failure)) return failure;

  // 5.7. Without it a thread that cannot be synced makes the call return its id, which SyncNamed
  // and the check below handle just as well.
  if (ProbeFlag(SECCOMP_FILTER_FLAG_TSYNC_ESRCH) == 0) flags |= SECCOMP_FILTER_FLAG_TSYNC_ESRCH;

  PreparedCensus census;
  const int unreadable = census.Prepare();
  if (unreadable != 0) return Fail(InstallOutcome::kCensusUnavailable, unreadable);
  const pid_t self = static_cast<pid_t>(syscall(SYS_gettid));
  if (!Lists(census.before(), self)) return Fail(InstallOutcome::kCensusUnavailable, ENODATA);
  const pid_t diverged = FindDiverged(census.before(), self);
  if (diverged != 0) return Fail(InstallOutcome::kThreadDiverged, 0, diverged);
  int filters_before = 0;
  for (const ThreadState& thread : census.before()) {
    if (thread.tid == self) filters_before = thread.filters;
  }

  if (options.no_new_privs && !SetNoNewPrivs(&failure)) return failure;
  std::vector<sock_filter> copy = program;
  sock_fprog fprog = {static_cast<unsigned short>(copy.size()), copy.data()};
  long result = Seccomp(SECCOMP_SET_MODE_FILTER, flags, &fprog);
  int error = result < 0 ? static_cast<int>(-result) : 0;
  // The listener's descriptor is positive too; it comes only where TSYNC_ESRCH was given.
  if (error == ESRCH && !options.listener) {
    result = SyncNamed(flags, &fprog);
    error = result < 0 ? static_cast<int>(-result) : 0;
  }
  if (error == EACCES) return Fail(InstallOutcome::kNeedsNoNewPrivs, error);
  if (error == EBUSY && options.listener) return Fail(InstallOutcome::kListenerBusy, error);
  if (error == ESRCH) return Fail(InstallOutcome::kThreadSync, error);
  if (error != 0) return Fail(InstallOutcome::kSeccompFailed, error);
  if (result > 0 && !options.listener) {
    return Fail(InstallOutcome::kThreadSync, 0, static_cast<pid_t>(result));
  }

  RememberProgram(copy);
  InstallResult done;
  if (options.listener) done.listener = static_cast<int>(result);
  VerifyThreads(&census, self, filters_before, &done);
  return done;
}

}  // namespace seccomp_ts
