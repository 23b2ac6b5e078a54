// The rules as they come from TypeScript: an array of 32-bit words, little-endian like both
// architectures that this runs on. 64-bit values are two words, the low one first.
//
//   rule set    magic, foreign_arch_action, number of architectures, architectures
//   arch        audit_arch, default_action, number of ranges, number of syscalls, ranges, syscalls
//   range       first, last, action
//   syscall     number, otherwise, number of rules, rules
//   rule        action, number of conditions, conditions
//   condition   header: argument | width << 8 | kind << 16 | negate << 24; then by kind
//     0 ranges  number of ranges; each: first, last (two words each)
//     1 masked  mask, expected (two words each)
#ifndef SECCOMP_TS_NATIVE_RULES_CODEC_H_
#define SECCOMP_TS_NATIVE_RULES_CODEC_H_

#include <cstddef>
#include <cstdint>

#include "rules.h"

namespace seccomp_ts {

constexpr uint32_t kRulesMagic = 0x31524353;  // 'SCR1'

struct DecodeError {
  size_t offset;        // of the word at fault
  const char* message;  // static
};

// Reads a rule set and checks all that rules.h promises the compiler. Takes any words at all, and
// memory in proportion to `count`. On failure `out` is left in an unspecified state.
bool Decode(const uint32_t* words, size_t count, RuleSet* out, DecodeError* error);

}  // namespace seccomp_ts

#endif  // SECCOMP_TS_NATIVE_RULES_CODEC_H_
