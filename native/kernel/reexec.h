// Starting the program over: same process, same arguments, new image.
//
// A filter that denies io_uring_setup survives execve(2), so libuv opens no
// ring in the new image (src/unix/linux.c, uv__iou_init). Not kAll: should execve fail, this image
// must be able to go on with the rings it has. When to keep away from all this is in
// docs/io-uring.md; what of that native code can see is here, the rest is lib/lockdown's.
#ifndef SECCOMP_TS_NATIVE_KERNEL_REEXEC_H_
#define SECCOMP_TS_NATIVE_KERNEL_REEXEC_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace seccomp_ts {

enum class ReexecBlocker : uint8_t {
  kNone,
  kNotMainThread,         // execve(2) from another thread would give the new image its stack limits
  kProcUnreadable,        // the original arguments or the executable cannot be found out
  kArgumentsOverwritten,  // process.title or --title was set, which replaces them in memory
  kPrivilegedExecutable,  // set-user-ID or file capabilities, which no_new_privs would take away
};

const char* Explain(ReexecBlocker blocker);

// Signs that the program has begun its work, which would be lost or done twice. None of them
// forbids anything here; the caller compares them with what a program has that has only just
// started.
struct ReexecTraces {
  uint32_t threads = 0;
  uint32_t event_loops = 0;  // epoll descriptors: Node itself has 3, each Worker one more
  uint32_t sockets = 0;      // above descriptor 2
  uint32_t children = 0;     // the new image would not know them
  bool children_known = false;
  bool stdin_consumed = false;  // a regular file, and its offset is not 0 (node < script.js)
};

struct ReexecPlan {
  ReexecBlocker blocker = ReexecBlocker::kProcUnreadable;
  std::vector<char> executable;  // NUL-terminated
  std::vector<char> arguments;   // NUL-terminated strings, one after the other
  size_t argument_count = 0;
  ReexecTraces traces;
};

// Changes nothing. The plan may be kept, but not beyond a change of process.title.
ReexecPlan PlanReexec();

struct ReexecOptions {
  // "NAME=value", added to the environment; an older value of the same name is dropped.
  std::vector<const char*> environment;
  // Descriptors that stay open besides 0, 1 and 2. Node marks everything it inherits close-on-exec
  // (src/node.cc, uv_disable_stdio_inheritance), so a socket passed by systemd must be named here.
  std::vector<int> descriptors;
};

// Replaces the process. Returns, with an errno, only if that failed; everything is then as it was.
int Reexec(const ReexecPlan& plan, const ReexecOptions& options);

}  // namespace seccomp_ts

#endif  // SECCOMP_TS_NATIVE_KERNEL_REEXEC_H_
