// Times finished programs, whoever compiled them, in one and the same process.
//
//   filters attach ROUNDS NAME=FILE…   nanoseconds of seccomp(2), each in a fork
//   filters calls ROUNDS NAME=FILE…    nanoseconds a call under each, and under none (`NAME=`)
//
// The contestants take turns: every round forks one child for each, in alternating order. Prints
// `NAME WHAT NANOSECONDS`, a line for each round and measurement.
#define _GNU_SOURCE
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../test/differential/clock.h"

#define MAX_CONTESTANTS 8
#define BATCHES 51
#define CALLS 1000

struct contestant {
  const char* name;
  struct sock_filter instructions[4096];
  size_t length;
};

static struct contestant contestants[MAX_CONTESTANTS];

// The outcome of one child; `calls` uses all three.
struct report {
  double nanoseconds[3];
};

static void die(const char* what) {
  fprintf(stderr, "filters: %s\n", what);
  exit(1);
}

static uint64_t attach(const struct contestant* contestant) {
  if (contestant->length == 0) return 0;
  struct sock_fprog program = {(unsigned short)contestant->length,
                               (struct sock_filter*)contestant->instructions};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) die("no no_new_privs");
  const uint64_t start = now();
  const long result =
      syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
  const uint64_t taken = now() - start;
  if (result != 0) die("seccomp(2) failed");
  return taken;
}

static int compare(const void* a, const void* b) {
  const double x = *(const double*)a, y = *(const double*)b;
  return (x > y) - (x < y);
}

// Short batches and their median: one that was interrupted does not count.
#define TIME_CALL(result, call)                       \
  do {                                                \
    double batches[BATCHES];                          \
    for (int b = 0; b < BATCHES; b++) {               \
      const uint64_t start = now();                   \
      for (int i = 0; i < CALLS; i++) call;           \
      batches[b] = (double)(now() - start) / CALLS;   \
    }                                                 \
    qsort(batches, BATCHES, sizeof(double), compare); \
    result = batches[BATCHES / 2];                    \
  } while (0)

static struct report time_calls(void) {
  struct report report;
  TIME_CALL(report.nanoseconds[0], syscall(SYS_getppid));
  TIME_CALL(report.nanoseconds[1], syscall(SYS_personality, 0xffffffffUL));
  // No such command: EINVAL at once where it is not denied.
  TIME_CALL(report.nanoseconds[2], syscall(SYS_bpf, -1, 0, 0));
  return report;
}

static void read_contestant(struct contestant* contestant, char* argument) {
  char* file = strchr(argument, '=');
  if (file == NULL) die("expected NAME=FILE");
  *file++ = '\0';
  contestant->name = argument;
  if (*file == '\0') return;
  FILE* stream = fopen(file, "rb");
  if (stream == NULL) die(file);
  contestant->length = fread(contestant->instructions, sizeof(struct sock_filter), 4096, stream);
  fclose(stream);
}

int main(int argc, char** argv) {
  if (argc < 4 || argc - 3 > MAX_CONTESTANTS) die("usage: filters attach|calls ROUNDS NAME=FILE…");
  const int attaching = strcmp(argv[1], "attach") == 0;
  const int count = argc - 3;
  for (int i = 0; i < count; i++) read_contestant(&contestants[i], argv[3 + i]);
  int ends[2];
  if (pipe(ends) != 0) die("no pipe");
  for (int round = 0; round < atoi(argv[2]); round++) {
    for (int turn = 0; turn < count; turn++) {
      const int i = round % 2 == 0 ? turn : count - 1 - turn;
      const pid_t child = fork();
      if (child < 0) die("no child");
      if (child == 0) {
        const uint64_t taken = attach(&contestants[i]);
        struct report report = {{(double)taken, 0, 0}};
        if (!attaching) report = time_calls();
        _exit(write(ends[1], &report, sizeof(report)) == sizeof(report) ? 0 : 1);
      }
      int status = 0;
      if (waitpid(child, &status, 0) != child || status != 0) die("a child failed");
      struct report report;
      if (read(ends[0], &report, sizeof(report)) != sizeof(report)) die("a child said nothing");
      static const char* const what[] = {"allowed", "conditional", "denied"};
      if (attaching) printf("%s attach %.0f\n", contestants[i].name, report.nanoseconds[0]);
      for (int j = 0; j < 3 && !attaching; j++) {
        printf("%s %s %.2f\n", contestants[i].name, what[j], report.nanoseconds[j]);
      }
    }
  }
  return 0;
}
