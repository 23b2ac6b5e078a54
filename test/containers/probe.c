// Makes the system calls that are read from stdin, each in a process of its own, and says what came
// of each: `returned N` (an errno is negative) or `died SIGNAL`. One line a call: number and six
// arguments. Static, so that it runs in an empty root file system.
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_CALLS 512

struct call {
  long number;
  unsigned long arguments[6];
};

static struct call calls[MAX_CALLS];

static int read_calls(void) {
  int count = 0;
  for (;;) {
    struct call* call = &calls[count];
    unsigned long* a = call->arguments;
    // All seven or the end.
    const int found = scanf("%ld %lu %lu %lu %lu %lu %lu", &call->number, &a[0], &a[1], &a[2],
                            &a[3], &a[4], &a[5]);
    if (found != 7) return count;
    if (++count == MAX_CALLS) return count;
  }
}

int main(void) {
  const int count = read_calls();
  // In memory: what a call came to is known without one more call.
  long* result =
      mmap(NULL, sizeof(*result), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (count == 0 || result == MAP_FAILED) return 2;
  setvbuf(stdout, NULL, _IOFBF, 1 << 16);
  for (int i = 0; i < count; i++) {
    const pid_t child = fork();
    if (child < 0) return 3;
    if (child == 0) {
      const unsigned long* a = calls[i].arguments;
      const long value = syscall(calls[i].number, a[0], a[1], a[2], a[3], a[4], a[5]);
      *result = value == -1 ? -errno : value;
      _exit(0);
    }
    int status = 0;
    if (waitpid(child, &status, 0) != child) return 4;
    if (WIFSIGNALED(status)) {
      printf("died %d\n", WTERMSIG(status));
    } else {
      printf("returned %ld\n", *result);
    }
  }
  return fflush(stdout) == 0 ? 0 : 5;
}
