// The writing half of rules_codec.h. In the product TypeScript does this.
#ifndef SECCOMP_TS_NATIVE_TEST_ENCODE_H_
#define SECCOMP_TS_NATIVE_TEST_ENCODE_H_

#include <cstdint>
#include <vector>

#include "../rules.h"
#include "../rules_codec.h"

namespace seccomp_ts {

class Encoder {
 public:
  explicit Encoder(const RuleSet& rules) {
    Put({kRulesMagic, rules.foreign_arch_action, Count(rules.arches)});
    for (const ArchRules& arch : rules.arches) {
      Put({arch.audit_arch, arch.default_action, Count(arch.ranges), Count(arch.syscalls)});
      for (const NumberRange& range : arch.ranges) Put({range.first, range.last, range.action});
      for (const SyscallRules& syscall : arch.syscalls) PutSyscall(syscall);
    }
  }

  const std::vector<uint32_t>& words() const { return words_; }

 private:
  template <typename T>
  static uint32_t Count(const std::vector<T>& elements) {
    return static_cast<uint32_t>(elements.size());
  }

  void Put(std::initializer_list<uint32_t> words) {
    words_.insert(words_.end(), words.begin(), words.end());
  }

  void PutValue(uint64_t value) {
    Put({static_cast<uint32_t>(value), static_cast<uint32_t>(value >> 32)});
  }

  void PutSyscall(const SyscallRules& syscall) {
    Put({syscall.number, syscall.otherwise, Count(syscall.rules)});
    for (const Rule& rule : syscall.rules) {
      Put({rule.action, Count(rule.conditions)});
      for (const Condition& condition : rule.conditions) PutCondition(condition);
    }
  }

  void PutCondition(const Condition& condition) {
    bool masked = condition.kind == Condition::Kind::kMasked;
    uint32_t kind = masked ? 1 : 0;
    uint32_t negate = condition.negate ? 1 : 0;
    uint32_t width = condition.width;
    Put({condition.argument | width << 8 | kind << 16 | negate << 24});
    if (masked) {
      PutValue(condition.mask);
      PutValue(condition.expected);
      return;
    }
    Put({Count(condition.ranges)});
    for (const Range& range : condition.ranges) {
      PutValue(range.first);
      PutValue(range.last);
    }
  }

  std::vector<uint32_t> words_;
};

inline std::vector<uint32_t> Encode(const RuleSet& rules) { return Encoder(rules).words(); }

}  // namespace seccomp_ts

#endif  // SECCOMP_TS_NATIVE_TEST_ENCODE_H_
