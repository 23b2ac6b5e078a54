// What a rule set means, read straight from rules.h and without a thought for speed: the other
// opinion that compiled programs are held against. It shares nothing with the compiler.
#ifndef SECCOMP_TS_NATIVE_TEST_REFERENCE_H_
#define SECCOMP_TS_NATIVE_TEST_REFERENCE_H_

#include <linux/seccomp.h>

#include <cstdint>

#include "../rules.h"

namespace seccomp_ts {

inline bool ReferenceHolds(const Condition& condition, const seccomp_data& call) {
  uint64_t value = call.args[condition.argument];
  if (condition.width == 32) value = static_cast<uint32_t>(value);
  if (condition.width == 16) value = static_cast<uint16_t>(value);
  if (condition.kind == Condition::Kind::kMasked) {
    return ((value & condition.mask) == condition.expected) != condition.negate;
  }
  for (const Range& range : condition.ranges) {
    if (range.first <= value && value <= range.last) return true;
  }
  return false;
}

inline uint32_t ReferenceAction(const SyscallRules& syscall, const seccomp_data& call) {
  for (const Rule& rule : syscall.rules) {
    bool all = true;
    for (const Condition& condition : rule.conditions) {
      all = all && ReferenceHolds(condition, call);
    }
    if (all) return rule.action;
  }
  return syscall.otherwise;
}

inline uint32_t ReferenceAction(const RuleSet& rules, const seccomp_data& call) {
  uint32_t number = static_cast<uint32_t>(call.nr);
  for (const ArchRules& arch : rules.arches) {
    if (arch.audit_arch != call.arch) continue;
    for (const SyscallRules& syscall : arch.syscalls) {
      if (syscall.number == number) return ReferenceAction(syscall, call);
    }
    for (const NumberRange& range : arch.ranges) {
      if (range.first <= number && number <= range.last) return range.action;
    }
    return arch.default_action;
  }
  return rules.foreign_arch_action;
}

}  // namespace seccomp_ts

#endif  // SECCOMP_TS_NATIVE_TEST_REFERENCE_H_
