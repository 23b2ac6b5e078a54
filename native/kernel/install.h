// no_new_privs, then seccomp(2) on every thread, then the proof that it took.
#ifndef SECCOMP_TS_NATIVE_KERNEL_INSTALL_H_
#define SECCOMP_TS_NATIVE_KERNEL_INSTALL_H_

#include <linux/filter.h>

#include <cstdint>
#include <vector>

#include "kernel/threads.h"

namespace seccomp_ts {

struct InstallOptions {
  bool no_new_privs = true;
  bool log = false;         // SECCOMP_FILTER_FLAG_LOG, 4.14
  bool spec_allow = false;  // SECCOMP_FILTER_FLAG_SPEC_ALLOW, 4.17
  bool listener = false;    // SECCOMP_FILTER_FLAG_NEW_LISTENER, 5.0; with TSYNC_ESRCH, 5.7
};

enum class InstallOutcome {
  kInstalled,
  // Nothing changed:
  kInvalidProgram,     // seccomp_check_filter would refuse it
  kCensusUnavailable,  // `error`: /proc/self/task cannot be read
  kThreadDiverged,     // `tid` is under a filter that the caller is not under
  kNoSeccomp,          // the kernel has none
  kDenied,             // `error`: an outer filter refuses seccomp(2)
  kUnsupportedAction,  // `detail` is the SECCOMP_RET_* value
  kUnsupportedFlag,    // `detail` is the SECCOMP_FILTER_FLAG_* bit
  kNoNewPrivsRefused,  // `error` of prctl(PR_SET_NO_NEW_PRIVS)
  // Nothing changed but no_new_privs:
  kNeedsNoNewPrivs,  // EACCES: neither no_new_privs nor CAP_SYS_ADMIN
  kListenerBusy,     // EBUSY: a filter of this process already has a listener
  kThreadSync,       // the kernel could not bring `tid` (0: unnamed) under the filter
  kSeccompFailed,    // `error`
  // The filter is in place:
  kCensusIncomplete,  // `error`: not every thread could be looked at
  kThreadUnfiltered,  // `tid` does not show the filter
};

struct InstallResult {
  InstallOutcome outcome = InstallOutcome::kSeccompFailed;
  int error = 0;
  pid_t tid = 0;
  uint32_t detail = 0;
  int listener = -1;
  std::vector<ThreadState> threads;
};

InstallResult Install(const std::vector<sock_filter>& program, const InstallOptions& options);

// The steps before seccomp(2), each false with the reason in `failure`: whether the kernel takes
// this program with these SECCOMP_FILTER_FLAG_*, which changes nothing, and no_new_privs.
bool CanInstall(const std::vector<sock_filter>& program, uint32_t flags, InstallResult* failure);
bool SetNoNewPrivs(InstallResult* failure);

// Whether seccomp(2) knows this SECCOMP_FILTER_FLAG_*. man 2 seccomp: a null filter gives EFAULT
// where the flag is known and EINVAL where it is not. Returns 0 if known, else the errno.
int ProbeFlag(uint32_t flag);

// Whether seccomp(2) knows this SECCOMP_RET_* (SECCOMP_GET_ACTION_AVAIL, 4.14). 0 or an errno.
int ProbeAction(uint32_t action);

}  // namespace seccomp_ts

#endif  // SECCOMP_TS_NATIVE_KERNEL_INSTALL_H_
