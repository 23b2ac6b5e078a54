// Nanoseconds, for the programs that time themselves: here and in bench/c.
#ifndef SECCOMP_TS_TEST_DIFFERENTIAL_CLOCK_H_
#define SECCOMP_TS_TEST_DIFFERENTIAL_CLOCK_H_

#include <stdint.h>
#include <time.h>

static inline uint64_t read_clock(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static inline uint64_t now(void) { return read_clock(CLOCK_MONOTONIC); }
static inline uint64_t processor_time(void) { return read_clock(CLOCK_PROCESS_CPUTIME_ID); }

#endif  // SECCOMP_TS_TEST_DIFFERENTIAL_CLOCK_H_
