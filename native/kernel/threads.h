// The census: what the kernel's own books (/proc/self/task/*/status) say of every thread.
#ifndef SECCOMP_TS_NATIVE_KERNEL_THREADS_H_
#define SECCOMP_TS_NATIVE_KERNEL_THREADS_H_

#include <sys/types.h>

#include <vector>

#include "kernel/proc.h"

namespace seccomp_ts {

// proc_pid_status(5).
struct ThreadState {
  pid_t tid = 0;
  char name[16] = {};
  int mode = 0;      // Seccomp: 0 disabled, 1 strict, 2 filter
  int filters = -1;  // Seccomp_filters: -1 where the kernel (before 5.9) has no such line
  bool no_new_privs = false;
};

struct Census {
  // 0, or the errno of the first call that failed: the list is then not whole.
  int error = 0;
  std::vector<ThreadState> threads;
};

// Lists and reads every thread. Makes only calls that the installed programs permit.
Census TakeCensus();

// A census for after a filter that may forbid opening files: every status file is opened before,
// and only read after. Threads born in between are found through the "Threads:" count.
class PreparedCensus {
 public:
  PreparedCensus() = default;
  PreparedCensus(const PreparedCensus&) = delete;
  PreparedCensus& operator=(const PreparedCensus&) = delete;

  // Opens the status files. Returns 0 or an errno.
  int Prepare();

  // The state when Prepare ran.
  const std::vector<ThreadState>& before() const { return before_; }

  // The state now: a fresh census where the installed programs allow one, else what the files
  // opened before show.
  Census Finish();

 private:
  struct OpenFile {
    pid_t tid;
    File status;
  };
  std::vector<OpenFile> files_;
  std::vector<ThreadState> before_;
};

// Keeps what the last installation saw, for when a policy in force forbids looking again. Any
// thread may ask.
void RememberThreads(const std::vector<ThreadState>& threads);
std::vector<ThreadState> RememberedThreads();

}  // namespace seccomp_ts

#endif  // SECCOMP_TS_NATIVE_KERNEL_THREADS_H_
