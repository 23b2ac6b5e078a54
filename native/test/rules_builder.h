// Short ways to write rule sets down in tests.
#ifndef SECCOMP_TS_NATIVE_TEST_RULES_BUILDER_H_
#define SECCOMP_TS_NATIVE_TEST_RULES_BUILDER_H_

#include <linux/audit.h>
#include <linux/seccomp.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "../rules.h"

namespace seccomp_ts {

constexpr uint32_t kAllow = SECCOMP_RET_ALLOW;
constexpr uint32_t kLog = SECCOMP_RET_LOG;
constexpr uint32_t kKill = SECCOMP_RET_KILL_PROCESS;
constexpr uint32_t kX64 = AUDIT_ARCH_X86_64;
constexpr uint32_t kArm64 = AUDIT_ARCH_AARCH64;

constexpr uint32_t Errno(uint32_t value) { return SECCOMP_RET_ERRNO | value; }

inline Condition InRanges(uint8_t argument, uint8_t width, std::vector<Range> ranges) {
  Condition condition;
  condition.argument = argument;
  condition.width = width;
  condition.ranges = std::move(ranges);
  return condition;
}

inline Condition Is(uint8_t argument, uint8_t width, uint64_t value) {
  return InRanges(argument, width, {{value, value}});
}

inline Condition Masked(uint8_t argument, uint8_t width, uint64_t mask, uint64_t expected,
                        bool negate = false) {
  Condition condition;
  condition.kind = Condition::Kind::kMasked;
  condition.argument = argument;
  condition.width = width;
  condition.mask = mask;
  condition.expected = expected;
  condition.negate = negate;
  return condition;
}

inline Rule When(uint32_t action, std::vector<Condition> conditions) {
  Rule rule;
  rule.action = action;
  rule.conditions = std::move(conditions);
  return rule;
}

inline SyscallRules Syscall(uint32_t number, uint32_t otherwise, std::vector<Rule> rules = {}) {
  SyscallRules syscall;
  syscall.number = number;
  syscall.otherwise = otherwise;
  syscall.rules = std::move(rules);
  return syscall;
}

inline ArchRules Arch(uint32_t audit_arch, uint32_t default_action,
                      std::vector<SyscallRules> syscalls, std::vector<NumberRange> ranges = {}) {
  ArchRules arch;
  arch.audit_arch = audit_arch;
  arch.default_action = default_action;
  arch.ranges = std::move(ranges);
  arch.syscalls = std::move(syscalls);
  return arch;
}

inline RuleSet Rules(std::vector<ArchRules> arches, uint32_t foreign_arch_action = kKill) {
  RuleSet rules;
  rules.foreign_arch_action = foreign_arch_action;
  rules.arches = std::move(arches);
  return rules;
}

// One call, number 1 on x86-64, whose rules are under test; everything else is killed.
inline RuleSet RulesOfOne(std::vector<Rule> rules, uint32_t otherwise = Errno(1)) {
  return Rules({Arch(kX64, kKill, {Syscall(1, otherwise, std::move(rules))})});
}

inline seccomp_data Call(uint32_t arch, uint32_t number, std::vector<uint64_t> args = {}) {
  seccomp_data data = {};
  data.arch = arch;
  data.nr = static_cast<int>(number);
  for (size_t i = 0; i < args.size() && i < 6; i++) data.args[i] = args[i];
  return data;
}

}  // namespace seccomp_ts

#endif  // SECCOMP_TS_NATIVE_TEST_RULES_BUILDER_H_
