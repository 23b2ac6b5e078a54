// How often a Node program makes which system call: what the number dispatch puts in front.
#ifndef SECCOMP_TS_NATIVE_COMPILER_CALL_FREQUENCY_H_
#define SECCOMP_TS_NATIVE_COMPILER_CALL_FREQUENCY_H_

#include <cstdint>

namespace seccomp_ts {

struct CallFrequency {
  uint32_t number;
  uint32_t calls;  // of about 10,000
};

struct CallFrequencies {
  const CallFrequency* begin;  // sorted by number, unique
  const CallFrequency* end;
};

// None for an architecture that has no profile: then all calls are alike.
CallFrequencies FrequenciesOf(uint32_t audit_arch);

}  // namespace seccomp_ts

#endif  // SECCOMP_TS_NATIVE_COMPILER_CALL_FREQUENCY_H_
