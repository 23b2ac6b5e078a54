// What a program image leaves to the next one across execve(2), put as a program expects to find
// it: Node and libuv change descriptors and signals for themselves. All of it can be undone, should
// execve fail.
#ifndef SECCOMP_TS_NATIVE_KERNEL_HANDOVER_H_
#define SECCOMP_TS_NATIVE_KERNEL_HANDOVER_H_

#include <signal.h>

#include <vector>

namespace seccomp_ts {

class Handover {
 public:
  // 0, 1 and 2 stay open and block again, and a terminal has the mode it had.
  void StandardStreams();

  // All descriptors beyond 2 end with this image, also those that it was started with: an open one
  // is a way past a filter that refuses to open it. False if neither close_range(2) (5.11) nor
  // /proc does it.
  bool CloseOthers();

  // Takes `flags` from a descriptor. `set_command` is F_SETFD or F_SETFL.
  void Descriptor(int fd, int set_command, int flags);

  // execve(2) keeps ignored signals ignored and gives handled ones their default back. A handler
  // that does nothing therefore ends the ignoring exactly at execve: other threads still run until
  // then, and must not die of a SIGPIPE.
  void IgnoredSignals();

  // Every signal has its default at once: no handler runs any more, whose return is a system call
  // (rt_sigreturn) that a filter may refuse.
  void DefaultSignals();

  // Nothing is blocked.
  void SignalMask();

  void Undo();

 private:
  struct Flags {
    int fd;
    int set_command;
    int old;
  };
  struct Signal {
    int number;
    struct sigaction old;
  };

  void Replace(int number, const struct sigaction& old, void (*handler)(int), int flags);

  std::vector<Flags> descriptors_;
  std::vector<Signal> signals_;
  sigset_t mask_;
  bool mask_saved_ = false;
};

}  // namespace seccomp_ts

#endif  // SECCOMP_TS_NATIVE_KERNEL_HANDOVER_H_
