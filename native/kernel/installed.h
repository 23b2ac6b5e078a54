// The programs this process has put on itself. A filter cannot be read back without CAP_SYS_ADMIN
// in the initial namespace (ptrace PTRACE_SECCOMP_GET_FILTER), so they are remembered here.
#ifndef SECCOMP_TS_NATIVE_KERNEL_INSTALLED_H_
#define SECCOMP_TS_NATIVE_KERNEL_INSTALLED_H_

#include <linux/filter.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace seccomp_ts {

// Adds a program that the kernel has accepted. The process keeps it for the rest of its life.
void RememberProgram(const std::vector<sock_filter>& program);

// Keeps a text for as long as the process lives, for every thread to read: what lib/ knows of a
// lockdown that the kernel cannot be asked again.
void RememberNote(const char* text, size_t length);

struct Note {
  char* text;  // NUL-terminated
  size_t length;
  Note* older;
};

// The newest note, or null.
const Note* NewestNote();

// Whether every remembered program lets the call through. Asking first is what makes it safe to
// look at /proc under a policy whose default is to kill.
bool Permitted(long number, const uint64_t (&args)[6]);

// Makes the system call if it is permitted, else fails with EPERM without making it.
// Returns the result, or -errno.
long GuardedSyscall(long number, uint64_t a = 0, uint64_t b = 0, uint64_t c = 0, uint64_t d = 0,
                    uint64_t e = 0, uint64_t f = 0);

template <typename T>
uint64_t AsArgument(T* pointer) {
  return reinterpret_cast<uint64_t>(pointer);
}

}  // namespace seccomp_ts

#endif  // SECCOMP_TS_NATIVE_KERNEL_INSTALLED_H_
