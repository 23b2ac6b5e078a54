#include "reexec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel/handover.h"
#include "kernel/proc.h"

extern "C" char** environ;

namespace seccomp_ts {
namespace {

constexpr size_t kPathMax = 4096;

// Field `index` (as in proc_pid_stat(5), from 1) of /proc/self/stat, for fields after the name.
bool StatField(const std::vector<char>& stat, unsigned index, uint64_t* value) {
  const char* at = strrchr(stat.data(), ')');
  if (at == nullptr) return false;
  at++;  // now before the blank that precedes field 3
  for (unsigned field = 3; field <= index; field++) {
    at = strchr(at, ' ');
    if (at == nullptr) return false;
    at++;
  }
  *value = ParseNumber(&at, 10);
  return true;
}

bool SameFile(const char* a, const char* b) {
  struct statx x;
  struct statx y;
  return syscall(SYS_statx, AT_FDCWD, a, 0, STATX_INO, &x) == 0 &&
         syscall(SYS_statx, AT_FDCWD, b, 0, STATX_INO, &y) == 0 && x.stx_ino == y.stx_ino &&
         x.stx_dev_major == y.stx_dev_major && x.stx_dev_minor == y.stx_dev_minor;
}

// The path the program was started from, or the link itself where that path no longer leads to the
// running file: it was deleted or replaced (an update), or we have changed root. The link always
// executes what is running now (fs/proc/base.c, proc_exe_link).
bool FindExecutable(std::vector<char>* executable) {
  constexpr char kLink[] = "/proc/self/exe";
  executable->assign(kPathMax, '\0');
  if (!ReadLink(kLink, executable->data(), kPathMax)) return false;
  executable->resize(strlen(executable->data()) + 1);
  if (!SameFile(executable->data(), kLink)) executable->assign(kLink, kLink + sizeof kLink);
  return true;
}

// /proc/self/cmdline shows the memory the arguments were in, and libuv writes process.title over it
// (src/unix/proctitle.c). The argv array that the kernel put on the stack is left alone: the
// strings are the original ones if each still begins where that array says.
bool ArgumentsIntact(const std::vector<char>& stat, const std::vector<char>& arguments,
                     size_t count) {
  uint64_t stack = 0;  // start_stack: argc, argv[0], ..., NULL (fs/binfmt_elf.c, create_elf_tables)
  uint64_t begin = 0;  // arg_start
  if (!StatField(stat, 28, &stack) || !StatField(stat, 48, &begin) || stack == 0 || begin == 0) {
    return false;
  }
  std::vector<uint64_t> words(count + 2);
  const File memory("/proc/self/mem");
  const size_t want = words.size() * sizeof words[0];
  const ssize_t got = pread(memory.fd(), words.data(), want, static_cast<off_t>(stack));
  if (got != static_cast<ssize_t>(want) || words[0] != count || words[count + 1] != 0) return false;
  size_t offset = 0;
  for (size_t i = 0; i < count; i++) {
    if (words[i + 1] != begin + offset) return false;
    offset += strlen(arguments.data() + offset) + 1;
  }
  return offset == arguments.size();
}

void CollectTraces(ReexecTraces* traces) {
  char path[64];
  traces->children_known = true;
  ForEachNumber("/proc/self/task", [&](int tid) {
    traces->threads++;
    snprintf(path, sizeof path, "/proc/self/task/%d/children", tid);
    std::vector<char> children;  // "pid pid ", with CONFIG_PROC_CHILDREN only
    if (ReadWholeFile(path, &children) != 0) traces->children_known = false;
    for (char c : children) traces->children += c == ' ' ? 1 : 0;
  });
  ForEachNumber("/proc/self/fd", [&](int fd) {
    char target[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (!ReadLink(path, target, sizeof target)) return;
    if (strcmp(target, "anon_inode:[eventpoll]") == 0) traces->event_loops++;
    if (strncmp(target, "socket:", 7) == 0 && fd > 2) traces->sockets++;
  });
  struct statx s;
  traces->stdin_consumed = syscall(SYS_statx, 0, "", AT_EMPTY_PATH, STATX_TYPE, &s) == 0 &&
                           S_ISREG(s.stx_mode) && lseek(0, 0, SEEK_CUR) > 0;
}

// Do the two "NAME=value" strings have the same name?
bool SameName(const char* a, const char* b) {
  const size_t length = strcspn(a, "=");
  return strcspn(b, "=") == length && strncmp(a, b, length) == 0;
}

}  // namespace

const char* Explain(ReexecBlocker blocker) {
  switch (blocker) {
    case ReexecBlocker::kNone:
      return "the program can be started over";
    case ReexecBlocker::kNotMainThread:
      return "only the main thread can start the program over";
    case ReexecBlocker::kProcUnreadable:
      return "the original arguments cannot be read from /proc/self";
    case ReexecBlocker::kArgumentsOverwritten:
      return "the original arguments are gone: process.title or --title was set, or the program "
             "was "
             "started through the dynamic loader";
    case ReexecBlocker::kPrivilegedExecutable:
      return "the executable gains privileges when it is started (set-user-ID or file "
             "capabilities), "
             "and under no_new_privs it would not gain them again";
  }
  return "";
}

ReexecPlan PlanReexec() {
  ReexecPlan plan;
  std::vector<char> stat;
  if (!FindExecutable(&plan.executable) ||
      ReadWholeFile("/proc/self/cmdline", &plan.arguments) != 0 ||
      ReadWholeFile("/proc/self/stat", &stat) != 0 || plan.arguments.empty()) {
    return plan;
  }
  CollectTraces(&plan.traces);
  for (char c : plan.arguments) plan.argument_count += c == '\0' ? 1 : 0;
  stat.push_back('\0');
  if (syscall(SYS_gettid) != getpid()) {
    plan.blocker = ReexecBlocker::kNotMainThread;
  } else if (plan.arguments.back() != '\0' ||
             !ArgumentsIntact(stat, plan.arguments, plan.argument_count)) {
    plan.blocker = ReexecBlocker::kArgumentsOverwritten;
  } else if (getauxval(AT_SECURE) != 0) {
    plan.blocker = ReexecBlocker::kPrivilegedExecutable;
  } else {
    plan.blocker = ReexecBlocker::kNone;
  }
  return plan;
}

int Reexec(const ReexecPlan& plan, const ReexecOptions& options) {
  if (plan.blocker != ReexecBlocker::kNone) return EINVAL;

  // execve(2) does not write to these strings; its prototype is older than const.
  std::vector<char*> argv;
  char* const arguments = const_cast<char*>(plan.arguments.data());
  for (size_t offset = 0; offset < plan.arguments.size();
       offset += strlen(arguments + offset) + 1) {
    argv.push_back(arguments + offset);
  }
  argv.push_back(nullptr);

  std::vector<char*> environment;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; entry++) {
    bool replaced = false;
    for (const char* added : options.environment) replaced = replaced || SameName(*entry, added);
    if (!replaced) environment.push_back(*entry);
  }
  for (const char* added : options.environment) environment.push_back(const_cast<char*>(added));
  environment.push_back(nullptr);

  Handover handover;
  handover.StandardStreams();
  for (int fd : options.descriptors) handover.Descriptor(fd, F_SETFD, FD_CLOEXEC);
  handover.IgnoredSignals();
  handover.SignalMask();

  execve(plan.executable.data(), argv.data(), environment.data());
  const int error = errno;
  handover.Undo();
  return error;
}

}  // namespace seccomp_ts
