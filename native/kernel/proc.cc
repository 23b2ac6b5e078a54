#include "kernel/proc.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace seccomp_ts {
namespace {

// include/linux/dirent.h: struct linux_dirent64, which libc does not declare.
struct DirectoryEntry {
  uint64_t inode;
  int64_t offset;
  uint16_t length;
  uint8_t type;
  char name[1];
};

uint64_t Word(int value) { return static_cast<uint64_t>(static_cast<int64_t>(value)); }

long ReadSome(int fd, char* buffer, size_t size) {
  long n;
  do {
    n = GuardedSyscall(SYS_read, Word(fd), AsArgument(buffer), size);
  } while (n == -EINTR);
  return n;
}

}  // namespace

File::File(const char* path, int flags, int directory)
    : fd_(static_cast<int>(GuardedSyscall(SYS_openat, Word(directory), AsArgument(path),
                                          Word(flags | O_CLOEXEC)))) {}

File::~File() {
  if (fd_ >= 0) GuardedSyscall(SYS_close, Word(fd_));
}

int File::Read(char* buffer, size_t size) const {
  if (fd_ < 0) return -fd_;
  const long n = ReadSome(fd_, buffer, size - 1);
  if (n < 0) return static_cast<int>(-n);
  if (n == 0) return ENODATA;
  buffer[n] = '\0';
  return 0;
}

int File::ReadFromStart(char* buffer, size_t size) const {
  if (fd_ < 0) return -fd_;
  long n = GuardedSyscall(SYS_pread64, Word(fd_), AsArgument(buffer), size - 1, 0);
  if (n < 0 && n != -ESRCH) {
    // A policy, also one that this process was started under, may deny the one and allow the other.
    // If it denies going back as well, a file that was never read is still at its start, and one
    // that was says that it has no more.
    GuardedSyscall(SYS_lseek, Word(fd_), 0, SEEK_SET);
    n = ReadSome(fd_, buffer, size - 1);
  }
  if (n < 0) return static_cast<int>(-n);
  if (n == 0) return ENODATA;
  buffer[n] = '\0';
  return 0;
}

int ReadWholeFile(const char* path, std::vector<char>* content) {
  constexpr size_t kStep = 16 * 1024;
  const File file(path);
  if (!file.ok()) return file.error();
  size_t length = 0;
  for (;;) {
    if (content->size() < length + kStep) content->resize(length + 4 * kStep);
    const long n = ReadSome(file.fd(), content->data() + length, content->size() - length);
    if (n < 0) return static_cast<int>(-n);
    if (n == 0) break;
    length += static_cast<size_t>(n);
  }
  content->resize(length);
  return 0;
}

bool ReadLink(const char* path, char* target, size_t size) {
  const long n = GuardedSyscall(SYS_readlinkat, Word(AT_FDCWD), AsArgument(path),
                                AsArgument(target), size - 1);
  if (n <= 0 || static_cast<size_t>(n) == size - 1) return false;
  target[n] = '\0';
  return true;
}

uint64_t ParseNumber(const char** at, unsigned base) {
  const char* p = *at;
  while (*p == ' ' || *p == '\t') p++;
  if (base == 16 && p[0] == '0' && p[1] == 'x') p += 2;
  uint64_t value = 0;
  bool any = false;
  for (;; p++) {
    unsigned digit;
    if (*p >= '0' && *p <= '9') {
      digit = static_cast<unsigned>(*p - '0');
    } else if (*p >= 'a' && *p <= 'f') {
      digit = static_cast<unsigned>(*p - 'a' + 10);
    } else {
      break;
    }
    if (digit >= base) break;
    value = value * base + digit;
    any = true;
  }
  if (any) *at = p;
  return value;
}

bool FindNumber(const char* text, const char* key, unsigned base, uint64_t* value) {
  const char* at = strstr(text, key);
  if (at == nullptr) return false;
  at += strlen(key);
  const char* const start = at;
  *value = ParseNumber(&at, base);
  return at != start;
}

int ListNumbers(const File& directory, std::vector<int>* numbers) {
  if (!directory.ok()) return directory.error();
  alignas(DirectoryEntry) char buffer[4096];
  for (;;) {
    const long length =
        GuardedSyscall(SYS_getdents64, Word(directory.fd()), AsArgument(buffer), sizeof(buffer));
    if (length < 0) return static_cast<int>(-length);
    if (length == 0) return 0;
    for (long at = 0; at < length;) {
      const auto* entry = reinterpret_cast<const DirectoryEntry*>(buffer + at);
      const char* name = buffer + at + offsetof(DirectoryEntry, name);
      if (*name >= '0' && *name <= '9') {
        numbers->push_back(static_cast<int>(ParseNumber(&name, 10)));
      }
      at += entry->length;
    }
  }
}

}  // namespace seccomp_ts
