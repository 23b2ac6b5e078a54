// Another program in the place of this one, under a filter before its first instruction.
//
// The filter is put on the calling thread alone, and the next system call is execve(2), which ends
// all others: so nothing of Node runs under it, and the policy need not permit what Node does.
#ifndef SECCOMP_TS_NATIVE_KERNEL_EXEC_H_
#define SECCOMP_TS_NATIVE_KERNEL_EXEC_H_

#include <linux/filter.h>

#include <vector>

#include "kernel/install.h"

namespace seccomp_ts {

struct ExecOptions {
  bool log = false;  // SECCOMP_FILTER_FLAG_LOG, 4.14
};

// Returns only to say why no filter was installed; nothing changed then but no_new_privs. Should
// execve itself fail under the filter, it says so on descriptor 2 and ends the process with 126, or
// 127 where there is no such file, as shells do.
InstallResult Exec(const std::vector<sock_filter>& program, const ExecOptions& options,
                   const char* path, char* const* arguments, char* const* environment);

}  // namespace seccomp_ts

#endif  // SECCOMP_TS_NATIVE_KERNEL_EXEC_H_
