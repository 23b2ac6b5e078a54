#include "kernel/threads.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel/installed.h"

namespace seccomp_ts {
namespace {

// A status file has about 60 short lines; the ones read here stand in the first 2 KiB.
constexpr size_t kStatusSize = 4096;

// include/linux/dirent.h: struct linux_dirent64, which libc does not declare.
struct DirectoryEntry {
  uint64_t inode;
  int64_t offset;
  uint16_t length;
  uint8_t type;
  char name[1];
};

int OpenGuarded(int directory, const char* path, int flags) {
  return static_cast<int>(GuardedSyscall(SYS_openat, static_cast<uint64_t>(directory),
                                         AsArgument(path),
                                         static_cast<uint64_t>(flags | O_RDONLY | O_CLOEXEC)));
}

void CloseGuarded(int fd) { GuardedSyscall(SYS_close, static_cast<uint64_t>(fd)); }

// The text after "Field:", or null.
const char* FindField(const char* status, const char* field) {
  const size_t length = strlen(field);
  for (const char* line = status; line != nullptr && *line != '\0';) {
    if (strncmp(line, field, length) == 0 && line[length] == ':') {
      const char* value = line + length + 1;
      while (*value == ' ' || *value == '\t') value++;
      return value;
    }
    line = strchr(line, '\n');
    if (line != nullptr) line++;
  }
  return nullptr;
}

int FindNumber(const char* status, const char* field, int absent) {
  const char* value = FindField(status, field);
  return value == nullptr ? absent : atoi(value);
}

bool ParseStatus(const char* status, ThreadState* state) {
  const char* name = FindField(status, "Name");
  if (name == nullptr) return false;
  size_t length = strcspn(name, "\n");
  if (length >= sizeof(state->name)) length = sizeof(state->name) - 1;
  memcpy(state->name, name, length);
  state->name[length] = '\0';
  state->mode = FindNumber(status, "Seccomp", -1);
  state->filters = FindNumber(status, "Seccomp_filters", -1);
  state->no_new_privs = FindNumber(status, "NoNewPrivs", 0) == 1;
  // Without CONFIG_SECCOMP the line is absent.
  return state->mode >= 0;
}

// Reads an open status file. Returns 0, or an errno: ESRCH when the thread is gone.
int ReadStatus(int fd, char* text) {
  const long length =
      GuardedSyscall(SYS_read, static_cast<uint64_t>(fd), AsArgument(text), kStatusSize - 1);
  if (length < 0) return static_cast<int>(-length);
  if (length == 0) return ESRCH;
  text[length] = '\0';
  return 0;
}

// Calls visit(tid) for every entry of /proc/self/task. Returns 0 or an errno.
template <typename Visit>
int ForEachThread(int directory, Visit visit) {
  alignas(DirectoryEntry) char buffer[4096];
  for (;;) {
    const long length = GuardedSyscall(SYS_getdents64, static_cast<uint64_t>(directory),
                                       AsArgument(buffer), sizeof(buffer));
    if (length < 0) return static_cast<int>(-length);
    if (length == 0) return 0;
    for (long at = 0; at < length;) {
      const auto* entry = reinterpret_cast<const DirectoryEntry*>(buffer + at);
      const pid_t tid = atoi(entry->name);
      if (tid > 0) {
        const int error = visit(tid);
        if (error != 0) return error;
      }
      at += entry->length;
    }
  }
}

int OpenStatusOf(int directory, pid_t tid) {
  char path[32];
  snprintf(path, sizeof(path), "%d/status", static_cast<int>(tid));
  return OpenGuarded(directory, path, 0);
}

// A thread that ended while it was being looked at needs no filter any more.
bool IsGone(int error) { return error == ENOENT || error == ESRCH; }

}  // namespace

Census TakeCensus() {
  Census census;
  const int directory = OpenGuarded(AT_FDCWD, "/proc/self/task", O_DIRECTORY);
  if (directory < 0) {
    census.error = -directory;
    return census;
  }
  census.error = ForEachThread(directory, [&](pid_t tid) {
    const int fd = OpenStatusOf(directory, tid);
    if (fd < 0) return IsGone(-fd) ? 0 : -fd;
    char text[kStatusSize];
    const int error = ReadStatus(fd, text);
    CloseGuarded(fd);
    if (error != 0) return IsGone(error) ? 0 : error;
    ThreadState state;
    state.tid = tid;
    if (!ParseStatus(text, &state)) return ENODATA;
    census.threads.push_back(state);
    return 0;
  });
  CloseGuarded(directory);
  return census;
}

PreparedCensus::~PreparedCensus() {
  for (const OpenStatus& file : files_) CloseGuarded(file.fd);
}

int PreparedCensus::Prepare() {
  Census census = TakeCensus();
  if (census.error != 0) return census.error;
  before_ = census.threads;
  const int directory = OpenGuarded(AT_FDCWD, "/proc/self/task", O_DIRECTORY);
  if (directory < 0) return -directory;
  for (const ThreadState& thread : before_) {
    const int fd = OpenStatusOf(directory, thread.tid);
    if (fd >= 0) {
      files_.push_back({thread.tid, fd});
    } else if (!IsGone(-fd)) {
      CloseGuarded(directory);
      return -fd;
    }
  }
  CloseGuarded(directory);
  return 0;
}

Census PreparedCensus::Finish() {
  Census fresh = TakeCensus();
  if (fresh.error == 0) return fresh;

  Census census;
  int expected = 0;
  for (const OpenStatus& file : files_) {
    char text[kStatusSize];
    const int error = ReadStatus(file.fd, text);
    if (IsGone(error)) continue;
    if (error != 0) {
      census.error = error;
      return census;
    }
    ThreadState state;
    state.tid = file.tid;
    if (!ParseStatus(text, &state)) {
      census.error = ENODATA;
      return census;
    }
    census.threads.push_back(state);
    expected = FindNumber(text, "Threads", 0);
  }
  // More threads than were opened: some were born since, and cannot be looked at.
  if (expected > static_cast<int>(census.threads.size())) census.error = EAGAIN;
  return census;
}

}  // namespace seccomp_ts
