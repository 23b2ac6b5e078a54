#include "kernel/thread_rest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace seccomp_ts {
namespace {

// include/linux/sched.h, in /proc/<pid>/stat: a thread that never runs user code.
constexpr uint64_t kPfIoWorker = 0x10;
constexpr uint64_t kPfUserWorker = 0x4000;

struct TaskPath {
  TaskPath(pid_t tid, const char* name) {
    snprintf(text, sizeof text, "/proc/self/task/%d/%s", tid, name);
  }
  char text[64];
};

// System calls in which a thread waits for something to happen. libuv makes none of them while it
// has a ring in hand: not between seeing that there is one and having used it (io_uring_enter,
// epoll_ctl; src/unix/linux.c, uv__io_poll), and not while it takes one down (munmap, close;
// uv__iou_delete).
bool IsWait(long number) {
  constexpr long kWaits[] = {
#ifdef SYS_epoll_wait
      SYS_epoll_wait,
      SYS_poll,
      SYS_select,
#endif
      SYS_epoll_pwait,
      441,  // epoll_pwait2
      SYS_futex,
      449,  // futex_waitv
      SYS_ppoll,
      SYS_pselect6,
      SYS_nanosleep,
      SYS_clock_nanosleep,
      SYS_wait4,
      SYS_waitid,
      SYS_rt_sigtimedwait,
      SYS_rt_sigsuspend,
      SYS_read,
      SYS_accept,
      SYS_accept4,
      SYS_recvfrom,
      SYS_recvmsg,
      SYS_restart_syscall,  // one of the above, resumed after a signal
  };
  for (long wait : kWaits) {
    if (number == wait) return true;
  }
  return false;
}

}  // namespace

Thread::Thread(pid_t tid)
    : syscall_(TaskPath(tid, "syscall").text), status_(TaskPath(tid, "status").text) {}

bool Thread::Blocked(uintptr_t* stack_pointer) const {
  char text[256];
  if (!syscall_.ok() || !syscall_.ReadText(text, sizeof text)) return false;
  if (text[0] < '0' || text[0] > '9') return false;  // "running", or -1
  const char* at = text;
  if (!IsWait(static_cast<long>(ParseNumber(&at, 10)))) return false;
  for (int i = 0; i < 6; i++) ParseNumber(&at, 16);
  *stack_pointer = ParseNumber(&at, 16);
  return *stack_pointer != 0;
}

bool Thread::Switches(uint64_t* switches) const {
  char text[4096];
  uint64_t voluntary = 0;
  uint64_t involuntary = 0;
  if (!status_.ok() || !status_.ReadText(text, sizeof text)) return false;
  if (!FindNumber(text, "\nvoluntary_ctxt_switches:", 10, &voluntary) ||
      !FindNumber(text, "\nnonvoluntary_ctxt_switches:", 10, &involuntary)) {
    return false;
  }
  *switches = voluntary + involuntary;
  return true;
}

bool RunsNoUserCode(pid_t tid, bool* sqpoll) {
  *sqpoll = false;
  char path[64];
  char text[1024];
  snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
  File file(path);
  const int error = file.Read(text, sizeof text);
  if (error != 0) return error == ENOENT || error == ESRCH;
  const char* at = strrchr(text, ')');  // tid (comm) state ppid pgrp session tty tpgid flags ...
  if (at == nullptr || strlen(at) < 4) return false;
  const char state = at[2];
  at += 4;
  for (int i = 0; i < 5 && *at != '\0'; i++) at += strcspn(at, " ") + 1;
  const bool kernel_thread = (ParseNumber(&at, 10) & (kPfIoWorker | kPfUserWorker)) != 0;
  // io_uring/sqpoll.c, io_sq_thread(): "iou-sqp-<pid>"; workers are "iou-wrk-<pid>".
  *sqpoll = kernel_thread && strstr(text, "(iou-sqp-") != nullptr;
  return kernel_thread || state == 'Z' || state == 'X';
}

bool ListOtherThreads(std::vector<pid_t>* tids) {
  const pid_t self = static_cast<pid_t>(syscall(SYS_gettid));
  return ForEachNumber("/proc/self/task", [&](int tid) {
           bool sqpoll;
           if (tid != self && !RunsNoUserCode(tid, &sqpoll)) tids->push_back(tid);
         }) == 0;
}

}  // namespace seccomp_ts
