// Random rule sets, compiled and run in the interpreter, against the reference: small alphabets, so
// that rules overlap, contradict and shadow each other, and calls at the borders of every
// condition.
#include <cstdio>
#include <vector>

#include "../compiler/compiler.h"
#include "../compiler/interpreter.h"
#include "check.h"
#include "encode.h"
#include "reference.h"
#include "rules_builder.h"

namespace seccomp_ts {
namespace {

constexpr int kRuleSetsPerSeed = 400;
constexpr int kCallsPerRuleSet = 250;

constexpr uint64_t kValues[] = {
    0,          1,          2,           3,           5,           8,
    0x7f,       0x80,       0xff,        0x100,       0x7fff,      0x8000,
    0xffff,     0x10000,    0x7fffffff,  0x80000000,  0xfffffffe,  0xffffffff,
    1ull << 32, 1ull << 40, 0x100000001, 0x1ffffffff, 0x200000000, 0xffffffff00000000,
    1ull << 63, UINT64_MAX,
};

constexpr uint32_t kNumbers[] = {0,  1,   2,   3,          5,          8,          16,
                                 41, 257, 435, 0x3fffffff, 0x40000000, 0x40000001, 0xffffffff};

constexpr uint32_t kActions[] = {kAllow, kAllow, kAllow, Errno(1), Errno(38), kKill, kLog};

uint64_t MaxOf(uint32_t width) { return width == 64 ? UINT64_MAX : (1ull << width) - 1; }

class Generator {
 public:
  explicit Generator(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15 + 1) {}

  RuleSet MakeRules() {
    ArchRules x64 = MakeArch(kX64);
    if (Below(4) != 0) return Rules({x64}, Pick(kActions));
    return Rules({x64, MakeArch(kArm64)}, Pick(kActions));
  }

  // Near what the rules look at, with anything in the words that they do not.
  seccomp_data MakeCall(const RuleSet& rules) {
    const ArchRules& arch = rules.arches[Below(rules.arches.size())];
    uint32_t number = Pick(kNumbers);
    std::vector<uint64_t> interesting;
    if (!arch.syscalls.empty() && Below(8) != 0) {
      const SyscallRules& syscall = arch.syscalls[Below(arch.syscalls.size())];
      number = syscall.number;
      AddBorders(syscall, &interesting);
    } else if (Below(2) != 0) {
      number += static_cast<uint32_t>(Below(3)) - 1;
    }
    seccomp_data call = Call(Below(16) == 0 ? AUDIT_ARCH_I386 : arch.audit_arch, number);
    for (size_t i = 0; i < 6; i++) {
      uint64_t value = Below(4) == 0 || interesting.empty()
                           ? Pick(kValues)
                           : interesting[Below(interesting.size())];
      if (Below(4) == 0) value ^= 1ull << Below(64);
      if (Below(4) == 0) value = (value & 0xffffffff) | Next() << 32;
      call.args[i] = value;
    }
    return call;
  }

 private:
  uint64_t Next() {  // xorshift64
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }

  size_t Below(size_t bound) { return static_cast<size_t>((Next() >> 20) % bound); }

  template <typename T, size_t N>
  T Pick(const T (&from)[N]) {
    return from[Below(N)];
  }

  ArchRules MakeArch(uint32_t audit_arch) {
    ArchRules arch = Arch(audit_arch, Pick(kActions), {});
    uint32_t next = 0;
    for (uint32_t number : kNumbers) {
      if (number < next) continue;
      if (Below(6) == 0) {
        uint32_t last = number + static_cast<uint32_t>(Below(40));
        if (last < number || Below(8) == 0) last = UINT32_MAX;
        arch.ranges.push_back({number, last, Pick(kActions)});
        if (last == UINT32_MAX) break;
        next = last + 1;
      } else if (Below(3) != 0) {
        arch.syscalls.push_back(MakeSyscall(number));
      }
    }
    return arch;
  }

  SyscallRules MakeSyscall(uint32_t number) {
    SyscallRules syscall = Syscall(number, Pick(kActions));
    for (size_t rules = Below(7); rules > 0; rules--) {
      Rule rule = When(Pick(kActions), {});
      // Two arguments out of six, so that conditions meet.
      for (size_t conditions = Below(4); conditions > 0; conditions--) {
        rule.conditions.push_back(
            MakeCondition(static_cast<uint8_t>(Below(8) == 0 ? 5 : Below(2))));
      }
      syscall.rules.push_back(rule);
    }
    return syscall;
  }

  Condition MakeCondition(uint8_t argument) {
    constexpr uint8_t kWidths[] = {16, 32, 32, 64, 64};
    uint8_t width = Pick(kWidths);
    uint64_t max = MaxOf(width);
    if (Below(3) == 0) {
      uint64_t mask = (Below(2) == 0 ? Pick(kValues) : Pick(kValues) | Pick(kValues) << 32) & max;
      uint64_t expected = Pick(kValues) & (Below(8) == 0 ? max : mask);
      return Masked(argument, width, mask, expected, Below(2) == 0);
    }
    return InRanges(argument, width, MakeRanges(max));
  }

  std::vector<Range> MakeRanges(uint64_t max) {
    std::vector<Range> ranges;
    uint64_t next = 0;
    for (size_t i = Below(5); i > 0; i--) {
      uint64_t first = Pick(kValues) & max;
      uint64_t last = Below(2) == 0 ? first : Pick(kValues) & max;
      if (first < next || last < first) continue;
      ranges.push_back({first, last});
      if (last >= max - 1) break;
      next = last + 2;
    }
    return ranges;
  }

  void AddBorders(const SyscallRules& syscall, std::vector<uint64_t>* values) {
    for (const Rule& rule : syscall.rules) {
      for (const Condition& condition : rule.conditions) {
        for (const Range& range : condition.ranges) {
          for (uint64_t border : {range.first, range.last}) {
            values->insert(values->end(), {border - 1, border, border + 1});
          }
        }
        if (condition.kind == Condition::Kind::kMasked) {
          values->insert(values->end(), {condition.expected, condition.expected | ~condition.mask,
                                         condition.expected ^ condition.mask});
        }
      }
    }
  }

  uint64_t state_;
};

void PrintCase(const RuleSet& rules, const seccomp_data& call) {
  fprintf(stderr, "  arch 0x%x, nr 0x%x, args", call.arch, static_cast<uint32_t>(call.nr));
  for (uint64_t argument : call.args) fprintf(stderr, " 0x%lx", argument);
  fprintf(stderr, "\n  rules");
  for (uint32_t word : Encode(rules)) fprintf(stderr, " %x", word);
  fprintf(stderr, "\n");
}

// A number that is allowed without rules must be in the kernel's cache; one that is in it must be
// allowed whatever the arguments.
void CheckCache(const RuleSet& rules, const std::vector<sock_filter>& program) {
  for (const ArchRules& arch : rules.arches) {
    for (const SyscallRules& syscall : arch.syscalls) {
      if (!syscall.rules.empty()) continue;
      CHECK_EQ(IsConstantAllow(program.data(), arch.audit_arch, syscall.number),
               syscall.otherwise == kAllow);
    }
    for (uint32_t number = 0; number < 64; number++) {
      bool listed = false;
      for (const SyscallRules& syscall : arch.syscalls) listed = listed || syscall.number == number;
      if (listed) continue;
      CHECK_EQ(IsConstantAllow(program.data(), arch.audit_arch, number),
               ReferenceAction(rules, Call(arch.audit_arch, number)) == kAllow);
    }
  }
}

void CheckSeed(uint64_t seed) {
  Generator generator(seed);
  for (int i = 0; i < kRuleSetsPerSeed && check::failures < 10; i++) {
    RuleSet rules = generator.MakeRules();
    std::vector<uint32_t> words = Encode(rules);
    RuleSet decoded;
    DecodeError decode_error;
    if (!CHECK(Decode(words.data(), words.size(), &decoded, &decode_error))) continue;
    CompileResult result = Compile(decoded);
    ProgramFault fault;
    if (!CHECK(result.status == CompileResult::Status::kOk)) continue;
    if (!CHECK(ValidateProgram(result.program.data(), result.program.size(), &fault))) continue;
    CheckCache(rules, result.program);
    for (int j = 0; j < kCallsPerRuleSet; j++) {
      seccomp_data call = generator.MakeCall(rules);
      uint32_t action = Evaluate(result.program.data(), call).action;
      if (!CHECK_EQ(action, ReferenceAction(rules, call))) {
        PrintCase(rules, call);
        break;
      }
      if (IsConstantAllow(result.program.data(), call.arch, static_cast<uint32_t>(call.nr))) {
        CHECK_EQ(action, kAllow);
      }
    }
  }
}

TEST(RandomRulesWithSeed1) { CheckSeed(1); }
TEST(RandomRulesWithSeed2) { CheckSeed(2); }
TEST(RandomRulesWithSeed3) { CheckSeed(3); }
TEST(RandomRulesWithSeed4) { CheckSeed(4); }
TEST(RandomRulesWithSeed5) { CheckSeed(5); }
TEST(RandomRulesWithSeed6) { CheckSeed(6); }

}  // namespace
}  // namespace seccomp_ts
