// Reading /proc/self.
//
// Every system call here is first put to the programs this process has installed (installed.h), and
// fails with EPERM where they would not let it through: looking at oneself must not be what a
// policy kills the process for.
#ifndef SECCOMP_TS_NATIVE_KERNEL_PROC_H_
#define SECCOMP_TS_NATIVE_KERNEL_PROC_H_

#include <fcntl.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "kernel/installed.h"

namespace seccomp_ts {

// An open file, closed at the end. Opening is relative to `directory` where one is given.
class File {
 public:
  explicit File(const char* path, int flags = O_RDONLY, int directory = AT_FDCWD);
  File(File&& other) noexcept : fd_(other.fd_) { other.fd_ = kMoved; }
  File& operator=(File&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File();

  bool ok() const { return fd_ >= 0; }
  int fd() const { return fd_; }
  // Why it could not be opened.
  int error() const { return fd_ >= 0 ? 0 : -fd_; }

  // Reads on from where the last read ended, and NUL-terminates. 0, or an errno; ENODATA at the
  // end.
  int Read(char* buffer, size_t size) const;
  // Reads from the start, wherever the last read ended, and NUL-terminates. 0, or an errno.
  int ReadFromStart(char* buffer, size_t size) const;
  bool ReadText(char* buffer, size_t size) const { return ReadFromStart(buffer, size) == 0; }

 private:
  static constexpr int kMoved = -9;  // -EBADF
  int fd_;                           // or -errno
};

// The whole content, as long as it is. 0, or an errno.
int ReadWholeFile(const char* path, std::vector<char>* content);

// What a link points to, NUL-terminated; false where it does not fit.
bool ReadLink(const char* path, char* target, size_t size);

// strtoull() without its locale and without its name, which new C libraries redirect to a symbol
// that old ones lack. Skips blanks; `*at` stays where it is if there is no number.
uint64_t ParseNumber(const char** at, unsigned base);

// The unsigned value after `key` in "key\tvalue" lines such as /proc/<pid>/status and fdinfo.
bool FindNumber(const char* text, const char* key, unsigned base, uint64_t* value);

// The entries of an open directory that are numbers, in the kernel's order. 0, or an errno.
int ListNumbers(const File& directory, std::vector<int>* numbers);

// Calls visit(number) for every entry of a /proc directory that is named by one. 0, or an errno.
template <typename Visitor>
int ForEachNumber(const char* path, Visitor visit) {
  const File directory(path, O_RDONLY | O_DIRECTORY);
  std::vector<int> numbers;
  const int error = ListNumbers(directory, &numbers);
  if (error != 0) return error;
  for (const int number : numbers) visit(number);
  return 0;
}

}  // namespace seccomp_ts

#endif  // SECCOMP_TS_NATIVE_KERNEL_PROC_H_
