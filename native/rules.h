// The rules as the compiler is given them: resolved for their architectures, every name a
// number, every comparator a set of values. Data only; native/compiler/ turns it into a program.
//
// Signedness does not appear here: the caller has already mapped signed comparisons to the sets of
// unsigned words they accept, so one kind of test serves both.
#ifndef SECCOMP_TS_NATIVE_RULES_H_
#define SECCOMP_TS_NATIVE_RULES_H_

#include <cstdint>
#include <vector>

namespace seccomp_ts {

// An inclusive range of unsigned values.
struct Range {
  uint64_t first;
  uint64_t last;
};

// One test of one argument.
//
// `width` says how many low bits of the argument the kernel reads (its C type): 16, 32 or 64. Bits
// above it take no part in the test, because the kernel ignores them too.
struct Condition {
  enum class Kind : uint8_t {
    kRanges,  // the value lies in one of `ranges`
    kMasked,  // ((value & mask) == expected) != negate
  };

  Kind kind = Kind::kRanges;
  uint8_t argument = 0;       // 0..5
  uint8_t width = 64;         // 16, 32 or 64
  bool negate = false;        // kMasked only
  uint64_t mask = 0;          // kMasked only
  uint64_t expected = 0;      // kMasked only
  std::vector<Range> ranges;  // kRanges only: sorted, disjoint, not adjacent; empty never holds
};

// All conditions hold -> `action` (a SECCOMP_RET_* value with its data, linux/seccomp.h).
// No conditions: always.
struct Rule {
  uint32_t action = 0;
  std::vector<Condition> conditions;
};

// The rules of one system call number, tried in order; if none matches, `otherwise` decides.
struct SyscallRules {
  uint32_t number = 0;
  uint32_t otherwise = 0;
  std::vector<Rule> rules;
};

// What a range of system call numbers without rules of their own gets.
struct NumberRange {
  uint32_t first = 0;
  uint32_t last = 0;
  uint32_t action = 0;
};

// The rules for one AUDIT_ARCH_* value (linux/audit.h).
struct ArchRules {
  uint32_t audit_arch = 0;
  uint32_t default_action = 0;         // numbers in neither list below
  std::vector<NumberRange> ranges;     // sorted, disjoint
  std::vector<SyscallRules> syscalls;  // sorted by number, unique, in none of `ranges`
};

struct RuleSet {
  uint32_t foreign_arch_action = 0;  // every arch value that is not listed
  std::vector<ArchRules> arches;     // at least one, distinct
};

}  // namespace seccomp_ts

#endif  // SECCOMP_TS_NATIVE_RULES_H_
