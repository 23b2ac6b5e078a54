#include "kernel/threads.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

namespace seccomp_ts {
namespace {

constexpr char kTasks[] = "/proc/self/task";

// A status file has about 60 short lines; the ones read here stand in the first 2 KiB.
constexpr size_t kStatusSize = 4096;

int FindInt(const char* status, const char* key, int absent) {
  uint64_t value = 0;
  return FindNumber(status, key, 10, &value) ? static_cast<int>(value) : absent;
}

bool ParseStatus(const char* status, ThreadState* state) {
  constexpr char kName[] = "Name:\t";  // the first line
  if (strncmp(status, kName, strlen(kName)) != 0) return false;
  const char* name = status + strlen(kName);
  size_t length = strcspn(name, "\n");
  if (length >= sizeof(state->name)) length = sizeof(state->name) - 1;
  memcpy(state->name, name, length);
  state->name[length] = '\0';
  state->mode = FindInt(status, "\nSeccomp:", -1);
  state->filters = FindInt(status, "\nSeccomp_filters:", -1);
  state->no_new_privs = FindInt(status, "\nNoNewPrivs:", 0) == 1;
  // Without CONFIG_SECCOMP the line is absent.
  return state->mode >= 0;
}

File OpenStatus(const File& tasks, pid_t tid) {
  char path[32];
  snprintf(path, sizeof(path), "%d/status", static_cast<int>(tid));
  return File(path, O_RDONLY, tasks.fd());
}

// A thread that ended while it was being looked at needs no filter any more.
bool IsGone(int error) { return error == ENOENT || error == ESRCH || error == ENODATA; }

// Reads an open status file and appends what it says. 0, or an errno.
int AppendState(pid_t tid, const File& status, char* text, std::vector<ThreadState>* threads) {
  const int error = status.ReadFromStart(text, kStatusSize);
  if (error != 0) return IsGone(error) ? 0 : error;
  ThreadState state;
  state.tid = tid;
  if (!ParseStatus(text, &state)) return ENOTSUP;
  threads->push_back(state);
  return 0;
}

// Calls visit(tid, status file) for every thread. 0, or an errno.
template <typename Visitor>
int ForEachStatus(Visitor visit) {
  const File tasks(kTasks, O_RDONLY | O_DIRECTORY);
  std::vector<int> tids;
  int error = ListNumbers(tasks, &tids);
  for (size_t i = 0; i < tids.size() && error == 0; i++) {
    error = visit(tids[i], OpenStatus(tasks, tids[i]));
  }
  return error;
}

}  // namespace

Census TakeCensus() {
  Census census;
  census.error = ForEachStatus([&census](pid_t tid, const File& status) {
    char text[kStatusSize];
    return AppendState(tid, status, text, &census.threads);
  });
  return census;
}

int PreparedCensus::Prepare() {
  return ForEachStatus([this](pid_t tid, File status) {
    char text[kStatusSize];
    const int error = AppendState(tid, status, text, &before_);
    if (error == 0 && status.ok()) files_.push_back({tid, std::move(status)});
    return error;
  });
}

Census PreparedCensus::Finish() {
  Census fresh = TakeCensus();
  if (fresh.error == 0) return fresh;

  Census census;
  int running = 0;
  for (const OpenFile& file : files_) {
    char text[kStatusSize] = {};
    census.error = AppendState(file.tid, file.status, text, &census.threads);
    if (census.error != 0) return census;
    if (text[0] != '\0') running = FindInt(text, "\nThreads:", 0);
  }
  // More threads than were opened: some were born since, and cannot be looked at.
  if (running > static_cast<int>(census.threads.size())) census.error = EAGAIN;
  return census;
}

}  // namespace seccomp_ts
