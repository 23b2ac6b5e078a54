// Whether another thread of this process is at rest, and has stayed so.
#ifndef SECCOMP_TS_NATIVE_KERNEL_THREAD_REST_H_
#define SECCOMP_TS_NATIVE_KERNEL_THREAD_REST_H_

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "kernel/proc.h"

namespace seccomp_ts {

// What the kernel says of a thread at one instant.
//
// `resting`: off the processor, waiting in a system call. fs/proc/base.c, proc_pid_syscall() ->
// lib/syscall.c, task_current_syscall() answers "running" for any runnable thread, and waits with
// wait_task_inactive() before it believes that another is not. A thread that blocks for any other
// reason (a page fault) has call number -1 and does not count: it may be anywhere in its own code.
struct ThreadLook {
  bool resting = false;
  uintptr_t stack_pointer = 0;
  uint64_t switches = 0;
};

class Thread {
 public:
  explicit Thread(pid_t tid);

  // Is it at rest now, and since which switch? The count is read first, so that a later equal count
  // covers all the time from here on.
  bool Rests(ThreadLook* look) const {
    return Switches(&look->switches) && Blocked(&look->stack_pointer) && (look->resting = true);
  }

  // True: it has not executed a single instruction since `before`. A thread that ran must have been
  // switched out to be at rest again, and kernel/sched/core.c, __schedule() counts every switch.
  bool HasNotRunSince(const ThreadLook& before) const {
    uintptr_t stack_pointer = 0;
    uint64_t switches = 0;
    return Blocked(&stack_pointer) && Switches(&switches) && switches == before.switches &&
           stack_pointer == before.stack_pointer;
  }

 private:
  bool Blocked(uintptr_t* stack_pointer) const;

  bool Switches(uint64_t* switches) const;

  File syscall_;
  File status_;
};

// True for a kernel thread that shares our process and for one that is dead: neither runs user
// code.
bool RunsNoUserCode(pid_t tid, bool* sqpoll);

// Every thread but the caller that can run user code.
bool ListOtherThreads(std::vector<pid_t>* tids);

}  // namespace seccomp_ts

#endif  // SECCOMP_TS_NATIVE_KERNEL_THREAD_REST_H_
