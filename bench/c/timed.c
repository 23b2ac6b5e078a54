// timed COMMAND ARGUMENTS…: runs it, its output away, and prints `WALL CPU` in nanoseconds: from
// before the child is made until it was reaped, and the processor time of all its threads.
//
// A process of its own, because a Node that starts others is slow to and noisy.
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../test/differential/clock.h"

static uint64_t nanoseconds(struct timeval t) {
  return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_usec * 1000;
}

int main(int argc, char** argv, char** environment) {
  if (argc < 2) return 2;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child;
  const uint64_t start = now();
  if (posix_spawn(&child, argv[1], &actions, NULL, argv + 1, environment) != 0) return 1;
  int status = 0;
  struct rusage used;
  if (wait4(child, &status, 0, &used) != child) return 1;
  const uint64_t wall = now() - start;
  if (status != 0) {
    fprintf(stderr, "timed: %s ended with status 0x%x\n", argv[1], (unsigned)status);
    return 1;
  }
  printf("%llu %llu\n", (unsigned long long)wall,
         (unsigned long long)(nanoseconds(used.ru_utime) + nanoseconds(used.ru_stime)));
  return 0;
}
