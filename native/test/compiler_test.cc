#include "../compiler/compiler.h"

#include <linux/bpf_common.h>

#include <cstring>
#include <vector>

#include "../compiler/interpreter.h"
#include "check.h"
#include "reference.h"
#include "rules_builder.h"

namespace seccomp_ts {
namespace {

using Program = std::vector<sock_filter>;

constexpr uint64_t kGarbage = 0xdeadbeef00000000;

Program CompileOk(const RuleSet& rules) {
  CompileResult result = Compile(rules);
  CHECK(result.status == CompileResult::Status::kOk);
  CHECK(result.largest.empty());
  CHECK_EQ(result.instructions, result.program.size());
  ProgramFault fault = {0, ""};
  if (!CHECK(ValidateProgram(result.program.data(), result.program.size(), &fault))) {
    fprintf(stderr, "  instruction %zu: %s\n", fault.instruction, fault.reason);
    return {{BPF_RET | BPF_K, 0, 0, 0xdeadbeef}};
  }
  return result.program;
}

uint32_t Run(const Program& program, const seccomp_data& call) {
  return Evaluate(program.data(), call).action;
}

// One row of a table: with these arguments, call number 1 gets this action.
struct Row {
  std::vector<uint64_t> args;
  uint32_t action;
};

// The rows are also held against the reference, so that neither of the two stands alone.
Program CheckRows(const RuleSet& rules, const std::vector<Row>& rows) {
  Program program = CompileOk(rules);
  for (const Row& row : rows) {
    seccomp_data call = Call(kX64, 1, row.args);
    bool right = CHECK_EQ(Run(program, call), row.action);
    if (!right) fprintf(stderr, "  for args[0] = 0x%llx\n", call.args[0]);
    CHECK_EQ(ReferenceAction(rules, call), row.action);
  }
  return program;
}

constexpr uint32_t kDeny = Errno(1);  // what RulesOfOne gives otherwise

// ---- architectures and numbers

TEST(ForeignArchitecturesGetTheirAction) {
  RuleSet rules = Rules({Arch(kX64, kAllow, {})}, kKill);
  Program program = CompileOk(rules);
  CHECK_EQ(Run(program, Call(kX64, 0)), kAllow);
  CHECK_EQ(Run(program, Call(kArm64, 0)), kKill);
  CHECK_EQ(Run(program, Call(AUDIT_ARCH_I386, 0)), kKill);
  CHECK_EQ(Run(program, Call(0, 0)), kKill);
  CHECK_EQ(program.size(), 4u);
}

TEST(EachArchitectureHasItsOwnRules) {
  Program program = CompileOk(
      Rules({Arch(kX64, Errno(1),
                  {Syscall(3, kAllow), Syscall(4, kDeny, {When(kAllow, {Is(0, 32, 7)})})}),
             Arch(kArm64, Errno(2),
                  {Syscall(4, kAllow), Syscall(5, kDeny, {When(kAllow, {Is(0, 32, 8)})})})},
            kKill));
  CHECK_EQ(Run(program, Call(kX64, 3)), kAllow);
  CHECK_EQ(Run(program, Call(kArm64, 3)), Errno(2));
  CHECK_EQ(Run(program, Call(kX64, 4)), kDeny);
  CHECK_EQ(Run(program, Call(kX64, 4, {7})), kAllow);
  CHECK_EQ(Run(program, Call(kArm64, 4)), kAllow);
  CHECK_EQ(Run(program, Call(kX64, 5, {8})), Errno(1));
  CHECK_EQ(Run(program, Call(kArm64, 5, {8})), kAllow);
  CHECK_EQ(Run(program, Call(kArm64, 5, {7})), kDeny);
  CHECK_EQ(Run(program, Call(AUDIT_ARCH_ARM, 4)), kKill);
}

TEST(AnArchitectureWithNothingOfItsOwnIsNotTested) {
  CHECK_EQ(CompileOk(Rules({Arch(kX64, kAllow, {})}, kAllow)).size(), 1u);
  ArchRules denied = Arch(kArm64, kKill, {Syscall(3, kKill, {When(kKill, {Is(0, 32, 1)})})});
  CHECK_EQ(CompileOk(Rules({Arch(kX64, kAllow, {}), denied}, kKill)).size(), 4u);
}

TEST(NumbersGoUpToTheLast) {
  RuleSet rules =
      Rules({Arch(kX64, Errno(1),
                  {Syscall(0, kAllow), Syscall(0x3fffffff, kAllow), Syscall(UINT32_MAX, kAllow)},
                  {{0x40000000, 0xfffffffe, Errno(38)}})});
  Program program = CompileOk(rules);
  for (uint32_t number : {0u, 1u, 2u, 0x3ffffffeu, 0x3fffffffu, 0x40000000u, 0x40000001u,
                          0x7fffffffu, 0x80000000u, 0xfffffffeu, 0xffffffffu}) {
    seccomp_data call = Call(kX64, number);
    CHECK_EQ(Run(program, call), ReferenceAction(rules, call));
  }
  CHECK_EQ(Run(program, Call(kX64, UINT32_MAX)), kAllow);
  CHECK_EQ(Run(program, Call(kX64, 0x40000000)), Errno(38));
}

TEST(NeighboursWithOneOutcomeAreOneRun) {
  // Listed, in a range or by default: all the same to the tree.
  Program program = CompileOk(
      Rules({Arch(kX64, kAllow,
                  {Syscall(0, kAllow), Syscall(1, kAllow), Syscall(50, kDeny), Syscall(51, kDeny)},
                  {{10, 20, kAllow}, {40, 49, kDeny}})}));
  CHECK_EQ(program.size(), 8u);  // arch: 2, number: 1 and 2 tests, 3 returns
  CHECK_EQ(Run(program, Call(kX64, 39)), kAllow);
  CHECK_EQ(Run(program, Call(kX64, 40)), kDeny);
  CHECK_EQ(Run(program, Call(kX64, 51)), kDeny);
  CHECK_EQ(Run(program, Call(kX64, 52)), kAllow);
}

// ---- widths

TEST(A32BitConditionIgnoresTheUpperHalf) {
  CheckRows(RulesOfOne({When(kAllow, {Is(0, 32, 5)})}), {{{5}, kAllow},
                                                         {{kGarbage | 5}, kAllow},
                                                         {{UINT64_MAX << 32 | 5}, kAllow},
                                                         {{4}, kDeny},
                                                         {{6}, kDeny},
                                                         {{kGarbage | 4}, kDeny},
                                                         {{5ull << 32}, kDeny}});
  // A deny rule is not escaped by garbage either.
  CheckRows(RulesOfOne({When(kKill, {Is(2, 32, 0)})}, kAllow),
            {{{1, 1, kGarbage}, kKill}, {{1, 1, 1}, kAllow}});
}

TEST(A16BitConditionIgnoresEverythingAbove) {
  CheckRows(RulesOfOne({When(kAllow, {InRanges(3, 16, {{5, 6}, {0xfffe, 0xffff}})})}),
            {{{0, 0, 0, 5}, kAllow},
             {{0, 0, 0, 0xabcd0006}, kAllow},
             {{0, 0, 0, kGarbage | 0x12340005}, kAllow},
             {{0, 0, 0, UINT64_MAX}, kAllow},
             {{0, 0, 0, 0xfffd}, kDeny},
             {{0, 0, 0, 0x10000}, kDeny},
             {{0, 0, 0, 7}, kDeny}});
  CheckRows(RulesOfOne({When(kAllow, {InRanges(0, 16, {{0x8000, 0xffff}})})}),
            {{{0x8000}, kAllow}, {{0x18000}, kAllow}, {{0x10000}, kDeny}, {{0x7fff}, kDeny}});
}

TEST(A64BitConditionReadsBothHalves) {
  CheckRows(RulesOfOne({When(kAllow, {Is(0, 64, 0x500000007)})}), {{{0x500000007}, kAllow},
                                                                   {{7}, kDeny},
                                                                   {{0x500000006}, kDeny},
                                                                   {{0x500000008}, kDeny},
                                                                   {{0x400000007}, kDeny},
                                                                   {{0x600000007}, kDeny},
                                                                   {{0x700000005}, kDeny}});
  CheckRows(RulesOfOne({When(kAllow, {Is(0, 64, 0)})}),
            {{{0}, kAllow}, {{1}, kDeny}, {{1ull << 32}, kDeny}, {{UINT64_MAX}, kDeny}});
  CheckRows(RulesOfOne({When(kAllow, {Is(0, 64, UINT64_MAX)})}),
            {{{UINT64_MAX}, kAllow}, {{0xffffffff}, kDeny}, {{UINT64_MAX - 1}, kDeny}});
}

TEST(A64BitRangeIsCutAtTheHighWord) {
  struct Bounds {
    uint64_t first;
    uint64_t last;
  };
  const Bounds bounds[] = {
      {0, 5},
      {0, 0xffffffff},
      {0, 0x100000000},
      {0xffffffff, 0x100000000},
      {0x100000000, 0x1ffffffff},
      {0x100000000, 0x2ffffffff},
      {0x100000005, 0x1fffffff0},
      {0x100000005, 0x2ffffffff},
      {0x100000000, 0x500000005},
      {0x100000005, 0x500000005},
      {0x100000005, 0x200000004},
      {0xffffffff00000000, UINT64_MAX},
      {0xfffffffffffffffe, UINT64_MAX},
      {1, UINT64_MAX},
      {0, UINT64_MAX - 1},
      {0x7fffffffffffffff, 0x8000000000000000},
  };
  for (const Bounds& b : bounds) {
    RuleSet rules = RulesOfOne({When(kAllow, {InRanges(0, 64, {{b.first, b.last}})})});
    std::vector<Row> rows = {{{b.first}, kAllow}, {{b.last}, kAllow}};
    if (b.first != 0) rows.push_back({{b.first - 1}, kDeny});
    if (b.last != UINT64_MAX) rows.push_back({{b.last + 1}, kDeny});
    rows.push_back({{b.first + (b.last - b.first) / 2}, kAllow});
    CheckRows(rules, rows);
  }
}

TEST(RangesMayShareAHighWord) {
  CheckRows(RulesOfOne({When(kAllow, {InRanges(0, 64,
                                               {{5, 0x100000005},
                                                {0x100000007, 0x100000008},
                                                {0x10000000a, 0x30000000a},
                                                {0x30000000c, 0x30000000c}})})}),
            {{{4}, kDeny},
             {{5}, kAllow},
             {{0xffffffff}, kAllow},
             {{0x100000005}, kAllow},
             {{0x100000006}, kDeny},
             {{0x100000008}, kAllow},
             {{0x100000009}, kDeny},
             {{0x10000000a}, kAllow},
             {{0x200000006}, kAllow},
             {{0x30000000a}, kAllow},
             {{0x30000000b}, kDeny},
             {{0x30000000c}, kAllow},
             {{0x30000000d}, kDeny},
             {{0x40000000a}, kDeny}});
}

TEST(SignedRangesComeAsTwoUnsignedOnes) {
  // int x <= 5, and int x >= -3, as the caller maps them.
  CheckRows(RulesOfOne({When(kAllow, {InRanges(0, 32, {{0, 5}, {0x80000000, 0xffffffff}})})}),
            {{{0}, kAllow},
             {{5}, kAllow},
             {{6}, kDeny},
             {{0x7fffffff}, kDeny},
             {{0x80000000}, kAllow},
             {{UINT64_MAX}, kAllow}});
  CheckRows(
      RulesOfOne({When(kAllow, {InRanges(0, 32, {{0, 0x7fffffff}, {0xfffffffd, 0xffffffff}})})}),
      {{{0xfffffffd}, kAllow}, {{0xfffffffc}, kDeny}, {{0x80000000}, kDeny}, {{3}, kAllow}});
}

TEST(EmptyAndFullSetsDecideNothing) {
  for (uint8_t width : {16, 32, 64}) {
    uint64_t max = width == 64 ? UINT64_MAX : (1ull << width) - 1;
    Program program = CheckRows(RulesOfOne({When(kAllow, {InRanges(0, width, {})})}),
                                {{{0}, kDeny}, {{UINT64_MAX}, kDeny}});
    CHECK_EQ(program.size(), 6u);  // arch, number, two returns: no argument is loaded
    program = CheckRows(RulesOfOne({When(kAllow, {InRanges(0, width, {{0, max}})})}),
                        {{{0}, kAllow}, {{UINT64_MAX}, kAllow}});
    CHECK_EQ(program.size(), 6u);
  }
}

// ---- masks

TEST(MaskedConditionsOfEveryWidth) {
  CheckRows(
      RulesOfOne({When(kAllow, {Masked(0, 32, 0xf0, 0x30)})}),
      {{{0x30}, kAllow}, {{kGarbage | 0xffffff3f}, kAllow}, {{0x20}, kDeny}, {{0x70}, kDeny}});
  CheckRows(RulesOfOne({When(kAllow, {Masked(0, 16, 0xf0, 0x30)})}),
            {{{0x30}, kAllow}, {{0xffff0030}, kAllow}, {{0x10}, kDeny}});
  CheckRows(RulesOfOne({When(kAllow, {Masked(0, 64, 0xf0000000f0, 0x3000000030)})}),
            {{{0x3000000030}, kAllow},
             {{0xffffff3fffffff3f}, kAllow},
             {{0x30}, kDeny},
             {{0x3000000000}, kDeny},
             {{0x3000000070}, kDeny},
             {{0x7000000030}, kDeny}});
}

TEST(MaskedConditionsCanBeNegated) {
  CheckRows(RulesOfOne({When(kAllow, {Masked(0, 32, 0xf0, 0x30, true)})}),
            {{{0x30}, kDeny}, {{0xffffff3f}, kDeny}, {{0x20}, kAllow}, {{kGarbage}, kAllow}});
  // Either half may differ.
  CheckRows(RulesOfOne({When(kAllow, {Masked(0, 64, 0xf0000000f0, 0x3000000030, true)})}),
            {{{0x3000000030}, kDeny},
             {{0xffffff3fffffff3f}, kDeny},
             {{0x30}, kAllow},
             {{0x3000000000}, kAllow},
             {{0x2000000030}, kAllow},
             {{0x4000000030}, kAllow},
             {{0}, kAllow}});
  for (uint64_t expected : {0ull, 0xf000000000ull, 0xf0ull, 0xf0000000f0ull}) {
    CheckRows(RulesOfOne({When(kAllow, {Masked(0, 64, 0xf0000000f0, expected, true)})}),
              {{{expected}, kDeny},
               {{expected ^ 0x10}, kAllow},
               {{expected ^ 0x1000000000}, kAllow},
               {{expected ^ 0x100000001}, kDeny}});
  }
}

TEST(HasNoneHasAnyHasAll) {
  Program none = CheckRows(RulesOfOne({When(kAllow, {Masked(2, 32, 0x6, 0)})}),
                           {{{0, 0, 0}, kAllow},
                            {{0, 0, 9}, kAllow},
                            {{0, 0, 2}, kDeny},
                            {{0, 0, 4}, kDeny},
                            {{0, 0, kGarbage | 6}, kDeny}});
  CheckRows(RulesOfOne({When(kAllow, {Masked(2, 32, 0x6, 0, true)})}),
            {{{0, 0, 0}, kDeny}, {{0, 0, 2}, kAllow}, {{0, 0, 4}, kAllow}, {{0, 0, 7}, kAllow}});
  CheckRows(RulesOfOne({When(kAllow, {Masked(2, 32, 0x6, 0x6)})}),
            {{{0, 0, 0}, kDeny}, {{0, 0, 2}, kDeny}, {{0, 0, 7}, kAllow}});
  Program one_bit = CheckRows(RulesOfOne({When(kAllow, {Masked(2, 32, 0x80000000, 0x80000000)})}),
                              {{{0, 0, 0x7fffffff}, kDeny}, {{0, 0, 0x80000000}, kAllow}});
  // No AND: JSET looks through its own mask.
  for (const Program* program : {&none, &one_bit}) {
    for (const sock_filter& instruction : *program) CHECK(BPF_CLASS(instruction.code) != BPF_ALU);
  }
}

TEST(MasksThatCannotMatchOrAlwaysDo) {
  CheckRows(RulesOfOne({When(kAllow, {Masked(0, 32, 0xf0, 0x31)})}), {{{0x31}, kDeny}});
  CheckRows(RulesOfOne({When(kAllow, {Masked(0, 32, 0xf0, 0x31, true)})}), {{{0x31}, kAllow}});
  CheckRows(RulesOfOne({When(kAllow, {Masked(0, 64, 0, 0)})}), {{{5}, kAllow}});
  CheckRows(RulesOfOne({When(kAllow, {Masked(0, 64, 0, 0, true)})}), {{{5}, kDeny}});
  CheckRows(RulesOfOne({When(kAllow, {Masked(0, 64, 0, 1ull << 40)})}), {{{1ull << 40}, kDeny}});
}

TEST(ALoadIsOmittedWhereItDecidesNothing) {
  // These leave the high word alone, though they are 64 bits wide.
  for (const Condition& condition :
       {Masked(0, 64, 0xffffffff, 5), Masked(0, 64, 0x0f, 5), Masked(0, 64, 2, 0, true)}) {
    for (const sock_filter& instruction : CompileOk(RulesOfOne({When(kAllow, {condition})}))) {
      CHECK(instruction.code != (BPF_LD | BPF_W | BPF_ABS) || instruction.k != 20);
    }
  }
  // And these the low word.
  for (const Condition& condition :
       {Masked(0, 64, 0xffffffff00000000, 0), InRanges(0, 64, {{0, 0xffffffff}})}) {
    for (const sock_filter& instruction : CompileOk(RulesOfOne({When(kAllow, {condition})}))) {
      CHECK(instruction.code != (BPF_LD | BPF_W | BPF_ABS) || instruction.k != 16);
    }
  }
}

// ---- rules

TEST(TheFirstRuleThatHoldsDecides) {
  CheckRows(
      RulesOfOne({When(Errno(10), {Is(0, 32, 1)}), When(Errno(11), {InRanges(0, 32, {{0, 5}})}),
                  When(Errno(12), {Is(1, 32, 1)}), When(Errno(13), {}), When(Errno(14), {})}),
      {{{1, 1}, Errno(10)}, {{2, 1}, Errno(11)}, {{6, 1}, Errno(12)}, {{6, 2}, Errno(13)}});
}

TEST(AllConditionsOfARuleMustHold) {
  CheckRows(RulesOfOne({When(kAllow, {Is(0, 32, 1), Is(1, 64, 2), Masked(5, 16, 4, 4)})}),
            {{{1, 2, 0, 0, 0, 4}, kAllow},
             {{0, 2, 0, 0, 0, 4}, kDeny},
             {{1, 3, 0, 0, 0, 4}, kDeny},
             {{1, 2, 0, 0, 0, 0}, kDeny},
             {{1, 2 | kGarbage, 0, 0, 0, 4}, kDeny}});
  // Several on one argument, of different widths and kinds.
  CheckRows(RulesOfOne({When(kAllow, {InRanges(0, 64, {{10, 0x20000000f}}), Masked(0, 32, 1, 1),
                                      InRanges(0, 16, {{0, 0xf}})})}),
            {{{9}, kDeny},
             {{11}, kAllow},
             {{12}, kDeny},
             {{0x10000b}, kAllow},
             {{0x100000001}, kAllow},
             {{0x20000000f}, kAllow},
             {{0x200000011}, kDeny},
             {{0x200010001}, kDeny}});
}

TEST(TheAccumulatorIsReloadedAfterAFailedTest) {
  // A peer compared the argument that was left in the accumulator with the next number.
  RuleSet rules =
      Rules({Arch(kX64, kKill,
                  {Syscall(1, kDeny, {When(kAllow, {Is(0, 32, 7)})}), Syscall(2, kAllow),
                   Syscall(3, kDeny,
                           {When(kAllow, {Is(1, 32, 9), Is(0, 32, 7)}),
                            When(kLog, {Is(0, 32, 2), Is(1, 32, 2)})})})});
  Program program = CompileOk(rules);
  for (uint32_t number = 0; number < 5; number++) {
    for (uint64_t a = 0; a < 12; a++) {
      for (uint64_t b = 0; b < 12; b++) {
        seccomp_data call = Call(kX64, number, {a, b});
        CHECK_EQ(Run(program, call), ReferenceAction(rules, call));
      }
    }
  }
}

// ---- what the kernel answers without running the program

// Every number that is always allowed must be recognised, and no other.
void CheckCache(const RuleSet& rules, uint32_t arch, const std::vector<uint32_t>& allowed) {
  Program program = CompileOk(rules);
  for (uint32_t number = 0; number < 512; number++) {
    bool expected = false;
    for (uint32_t a : allowed) expected = expected || a == number;
    bool right = CHECK_EQ(IsConstantAllow(program.data(), arch, number), expected);
    if (!right) fprintf(stderr, "  for number %u\n", number);
  }
}

TEST(TheKernelCanCacheWhatIsAlwaysAllowed) {
  RuleSet rules = Rules(
      {Arch(kX64, Errno(1),
            {Syscall(0, kAllow), Syscall(1, kDeny, {When(kAllow, {Is(0, 32, 1)})}),
             Syscall(2, kAllow), Syscall(4, kAllow), Syscall(100, kLog), Syscall(101, kAllow)},
            {{200, 202, kAllow}}),
       Arch(kArm64, kAllow, {Syscall(7, kDeny), Syscall(8, kDeny, {When(kAllow, {Is(0, 64, 1)})})},
            {{300, 600, kKill}})});
  CheckCache(rules, kX64, {0, 2, 4, 101, 200, 201, 202});
  std::vector<uint32_t> on_arm;
  for (uint32_t number = 0; number < 300; number++) {
    if (number != 7 && number != 8) on_arm.push_back(number);
  }
  CheckCache(rules, kArm64, on_arm);
  CheckCache(rules, AUDIT_ARCH_I386, {});
}

TEST(RulesThatFoldToOneActionAreUnconditional) {
  const std::vector<std::vector<Rule>> always = {
      {When(kAllow, {})},
      {When(kAllow, {InRanges(0, 32, {{0, 0xffffffff}})})},
      {When(kAllow, {InRanges(0, 64, {{0, UINT64_MAX}}), Masked(1, 32, 0, 0)})},
      {When(kDeny, {InRanges(0, 32, {})}), When(kAllow, {})},
      {When(kAllow, {Is(0, 32, 1)}), When(kAllow, {Is(1, 32, 1)}), When(kAllow, {})},
      {When(kAllow, {InRanges(0, 32, {{0, 4}})}),
       When(kAllow, {InRanges(0, 32, {{5, 0xffffffff}})})},
      {When(kAllow, {Masked(0, 32, 8, 8)}), When(kAllow, {Masked(0, 32, 8, 0)})},
      {When(kAllow, {Masked(0, 64, 1ull << 40, 0, true)}),
       When(kAllow, {Masked(0, 64, 1ull << 40, 0)})},
      // All values of two bits, one by one.
      {When(kAllow, {Masked(0, 32, 12, 0)}), When(kAllow, {Masked(0, 32, 12, 4)}),
       When(kAllow, {Masked(0, 32, 12, 8)}), When(kAllow, {Masked(0, 32, 12, 12)})},
      // A contradiction between two masks, and between a range and a mask.
      {When(kDeny, {Masked(0, 32, 3, 1), Masked(0, 32, 1, 0)}), When(kAllow, {})},
      {When(kDeny, {InRanges(0, 32, {{0, 7}}), Masked(0, 32, 8, 8)}), When(kAllow, {})},
      {When(kDeny, {Is(0, 32, 7), Is(0, 32, 8)}), When(kAllow, {})},
      // The halves of a 64-bit argument.
      {When(kAllow, {InRanges(0, 64, {{0, 0x100000005}})}),
       When(kAllow, {InRanges(0, 64, {{0x100000006, UINT64_MAX}})})},
      {When(kAllow, {Masked(0, 64, UINT64_MAX, 5)}),
       When(kAllow, {Masked(0, 64, UINT64_MAX, 5, true)})},
  };
  for (const std::vector<Rule>& rules : always) {
    Program program = CompileOk(RulesOfOne(rules, rules.size() == 1 ? kDeny : kKill));
    CHECK(IsConstantAllow(program.data(), kX64, 1));
  }
  // Rules that say what is said anyway.
  Program program = CompileOk(RulesOfOne({When(kAllow, {Is(0, 32, 1)})}, kAllow));
  CHECK(IsConstantAllow(program.data(), kX64, 1));
  CHECK_EQ(program.size(), 6u);
}

// ---- size and speed

size_t WorstOver(const Program& program, uint32_t number, const std::vector<uint64_t>& values) {
  size_t worst = 0;
  for (uint64_t value : values) {
    for (uint64_t near : {value - 1, value, value + 1, value | kGarbage}) {
      size_t executed = Evaluate(program.data(), Call(kX64, number, {near, near})).executed;
      if (executed > worst) worst = executed;
    }
  }
  return worst;
}

// Spread over all 32 bits, as ioctl requests are.
std::vector<uint64_t> SpreadValues(size_t count) {
  std::vector<uint64_t> values;
  uint32_t value = 1;
  for (size_t i = 0; i < count; i++) {
    value = value * 1664525 + 1013904223;
    values.push_back(value);
  }
  return values;
}

RuleSet OneRuleAValue(const std::vector<uint64_t>& values, uint8_t width) {
  std::vector<Rule> rules;
  for (uint64_t value : values) rules.push_back(When(kAllow, {Is(1, width, value)}));
  return RulesOfOne(rules);
}

TEST(SetsAreSearchedInLogarithmicTime) {
  struct Expected {
    size_t values;
    size_t worst;
    size_t size;
  };
  for (Expected expected :
       {Expected{64, 16, 110}, Expected{300, 19, 500}, Expected{1000, 22, 1600}}) {
    std::vector<uint64_t> values = SpreadValues(expected.values);
    RuleSet rules = OneRuleAValue(values, 64);
    Program program = CompileOk(rules);
    CHECK(program.size() <= expected.size);
    CHECK(WorstOver(program, 1, values) <= expected.worst);
    for (uint64_t value : values) {
      for (uint64_t near : {value - 1, value, value + 1, value | kGarbage}) {
        seccomp_data call = Call(kX64, 1, {0, near});
        CHECK_EQ(Run(program, call), ReferenceAction(rules, call));
      }
    }
  }
}

TEST(NumbersAreSearchedInLogarithmicTime) {
  // The shape of a container's profile: 470 numbers, most of them allowed, in 100 runs.
  std::vector<SyscallRules> allowed;
  std::vector<NumberRange> denied;
  uint32_t next = 0;
  for (uint32_t i = 0; next < 470; i++) {
    uint32_t last = next + i * 7 % 15;
    for (uint32_t number = next; number <= last; number++)
      allowed.push_back(Syscall(number, kAllow));
    denied.push_back({last + 1, last + 1 + (i % 3 == 0 ? i % 4 : 0), kDeny});
    next = denied.back().last + 1;
  }
  RuleSet rules = Rules({Arch(kX64, kDeny, allowed, denied)});
  Program program = CompileOk(rules);
  size_t worst = 0;
  for (uint32_t number = 0; number < 600; number++) {
    Evaluation evaluation = Evaluate(program.data(), Call(kX64, number));
    CHECK_EQ(evaluation.action, ReferenceAction(rules, Call(kX64, number)));
    worst = evaluation.executed > worst ? evaluation.executed : worst;
  }
  CHECK_EQ(denied.size(), 50u);
  CHECK(program.size() <= 80);
  CHECK(worst <= 13);  // 11, and two for what is called most
}

TEST(JumpsReachBeyond255Instructions) {
  // Every second number has rules of its own, each with another action: nothing can be shared.
  for (uint32_t count : {60u, 200u, 500u}) {
    std::vector<SyscallRules> syscalls;
    for (uint32_t i = 0; i < count; i++) {
      syscalls.push_back(Syscall(2 * i, Errno(i), {When(kAllow, {InRanges(0, 64, {{i, 2 * i}})})}));
    }
    RuleSet rules = Rules({Arch(kX64, kKill, syscalls)});
    Program program = CompileOk(rules);
    CHECK(program.size() > 4 * count);
    for (uint32_t number = 0; number <= 2 * count; number++) {
      for (uint64_t value : {uint64_t{0}, uint64_t{number / 2}, uint64_t{number},
                             uint64_t{number + 1}, kGarbage | number}) {
        seccomp_data call = Call(kX64, number, {value});
        CHECK_EQ(Run(program, call), ReferenceAction(rules, call));
      }
    }
  }
}

TEST(ALongJumpCostsNoInstructionWhereItEndsInAReturn) {
  std::vector<uint64_t> values = SpreadValues(600);
  Program program = CompileOk(OneRuleAValue(values, 32));
  size_t bridges = 0;
  size_t returns = 0;
  for (const sock_filter& instruction : program) {
    bridges += instruction.code == (BPF_JMP | BPF_JA) ? 1 : 0;
    returns += instruction.code == (BPF_RET | BPF_K) ? 1 : 0;
  }
  CHECK(returns > 3);  // copies
  CHECK(bridges < 6);
}

TEST(IdenticalRulesAreOneSubprogram) {
  std::vector<Rule> socket = {When(kAllow, {Is(0, 32, 1)}),
                              When(kAllow, {Is(0, 32, 10), Is(1, 32, 2)})};
  auto size_with = [&socket](std::vector<uint32_t> numbers) {
    std::vector<SyscallRules> syscalls;
    for (uint32_t number : numbers) syscalls.push_back(Syscall(number, kDeny, socket));
    return CompileOk(Rules({Arch(kX64, kKill, syscalls)})).size();
  };
  CHECK_EQ(size_with({41, 53}), size_with({41}) + 1);  // one more JEQ
  CHECK_EQ(size_with({41, 42}), size_with({41}) + 1);  // one range
}

TEST(RulesOfOneArgumentAreTestedTogether) {
  // As profiles spell them: the family is loaded once, whatever rule it belongs to.
  RuleSet rules = RulesOfOne({When(kAllow, {Is(0, 32, 1), Masked(1, 32, 15, 1)}),
                              When(kAllow, {Is(0, 32, 2), Masked(1, 32, 15, 1)}),
                              When(kAllow, {Is(0, 32, 10), Masked(1, 32, 15, 2)}),
                              When(kAllow, {Is(0, 32, 16), Is(2, 32, 0)})});
  Program program = CheckRows(rules, {{{1, 0x801}, kAllow},
                                      {{2, 1}, kAllow},
                                      {{2, 2}, kDeny},
                                      {{10, 2}, kAllow},
                                      {{10, 1}, kDeny},
                                      {{16, 9, 0}, kAllow},
                                      {{16, 1, 1}, kDeny}});
  CHECK(program.size() <= 20);
  size_t family_loads = 0;
  for (const sock_filter& instruction : program) {
    family_loads += instruction.code == (BPF_LD | BPF_W | BPF_ABS) && instruction.k == 16 ? 1 : 0;
  }
  CHECK_EQ(family_loads, 1u);
}

TEST(TheHighWordIsTestedBeforeTheLowOne) {
  // More rules look at the low word, but what it means for the first one depends on the high word.
  RuleSet rules = RulesOfOne({When(Errno(10), {InRanges(0, 64, {{5, 0x100000003}})}),
                              When(Errno(11), {Is(0, 32, 1)}), When(Errno(12), {Is(0, 32, 2)})});
  Program program = CheckRows(rules, {{{5}, Errno(10)},
                                      {{1}, Errno(11)},
                                      {{2}, Errno(12)},
                                      {{3}, kDeny},
                                      {{0x100000001}, Errno(10)},
                                      {{0x100000004}, kDeny},
                                      {{0x200000002}, Errno(12)}});
  size_t worst = 0;
  for (uint64_t high = 0; high < 3; high++) {
    for (uint64_t low = 0; low < 8; low++) {
      size_t executed = Evaluate(program.data(), Call(kX64, 1, {high << 32 | low})).executed;
      worst = executed > worst ? executed : worst;
    }
  }
  CHECK(worst <= 11);
}

// ---- limits

// `count` calls whose rules nothing can merge or share.
RuleSet Unshareable(uint32_t count, uint32_t rules_each) {
  std::vector<SyscallRules> syscalls;
  for (uint32_t i = 0; i < count; i++) {
    std::vector<Rule> rules;
    for (uint32_t j = 0; j < rules_each; j++) {
      rules.push_back(When(Errno((i * 7 + j) % 4096), {Is(0, 32, 3 * j), Is(1, 32, i + j)}));
    }
    syscalls.push_back(Syscall(2 * i, Errno(i), rules));
  }
  return Rules({Arch(kX64, kKill, syscalls)});
}

TEST(ProgramsNearTheLimitCompile) {
  // The largest that still fits, found by trying.
  size_t last_size = 0;
  RuleSet rules;
  for (uint32_t count = 150; count < 400; count++) {
    RuleSet more = Unshareable(count, 5);
    CompileResult result = Compile(more);
    if (result.status != CompileResult::Status::kOk) break;
    last_size = result.program.size();
    rules = more;
  }
  if (!CHECK(last_size > 4050 && last_size <= 4096)) return;
  Program program = CompileOk(rules);
  for (const SyscallRules& syscall : rules.arches[0].syscalls) {
    for (uint64_t a : {0, 3, 4, 12, 15}) {
      for (uint64_t b : {0u, syscall.number / 2, syscall.number / 2 + 1, syscall.number / 2 + 4}) {
        seccomp_data call = Call(kX64, syscall.number, {a, b});
        CHECK_EQ(Run(program, call), ReferenceAction(rules, call));
      }
    }
  }
}

TEST(TooLargeNamesTheLargestContributors) {
  RuleSet rules = Unshareable(400, 6);
  std::vector<Rule> ioctl;
  for (uint64_t value : SpreadValues(900)) {
    ioctl.push_back(When(Errno(value % 4000), {Is(1, 32, value)}));
  }
  rules.arches[0].syscalls[7].rules = ioctl;  // number 14
  rules.arches[0].syscalls[9] = Syscall(18, rules.arches[0].syscalls[7].otherwise, ioctl);
  rules.arches.push_back(
      Arch(kArm64, kKill, {Syscall(29, kDeny, {ioctl.begin(), ioctl.begin() + 300})}));
  CompileResult result = Compile(rules);
  CHECK(result.status == CompileResult::Status::kTooLarge);
  CHECK(result.program.empty());
  CHECK(result.instructions > 8000 && result.instructions < 20000);
  if (!CHECK_EQ(result.largest.size(), 8u)) return;
  CHECK_EQ(result.largest[0].audit_arch, kX64);
  CHECK_EQ(result.largest[0].number, 14u);
  CHECK(result.largest[0].instructions >= 900 && result.largest[0].instructions <= 1900);
  // The same code once more, which both are told of.
  CHECK_EQ(result.largest[1].number, 18u);
  CHECK_EQ(result.largest[1].instructions, result.largest[0].instructions);
  CHECK_EQ(result.largest[2].audit_arch, kArm64);
  CHECK_EQ(result.largest[2].number, 29u);
  CHECK(result.largest[2].instructions >= 300 && result.largest[2].instructions <= 700);
  for (size_t i = 1; i < result.largest.size(); i++) {
    CHECK(result.largest[i].instructions <= result.largest[i - 1].instructions);
    CHECK(result.largest[i].instructions > 0);
  }
}

// Rules on several arguments that overlap in every way: matched all at once they would multiply.
RuleSet Overlapping(uint32_t count) {
  std::vector<Rule> rules;
  uint32_t random = 7;
  auto range = [&random](uint8_t argument) {
    random = random * 1664525 + 1013904223;
    uint64_t first = random >> 8;
    return InRanges(argument, 32, {{first, first + (random & 0xffffff)}});
  };
  for (uint32_t i = 0; i < count; i++) {
    rules.push_back(When(Errno(i), {range(0), range(1), range(2), range(3)}));
  }
  return RulesOfOne(rules);
}

TEST(RulesThatWouldMultiplyAreTriedInTurn) {
  for (uint32_t count : {20u, 100u, 300u}) {
    RuleSet rules = Overlapping(count);
    Program program = CompileOk(rules);
    for (const Rule& rule : rules.arches[0].syscalls[0].rules) {
      std::vector<uint64_t> args;
      for (const Condition& condition : rule.conditions) args.push_back(condition.ranges[0].last);
      seccomp_data call = Call(kX64, 1, args);
      CHECK_EQ(Run(program, call), ReferenceAction(rules, call));
      for (size_t i = 0; i < 4; i++) {
        call.args[i]++;
        CHECK_EQ(Run(program, call), ReferenceAction(rules, call));
        call.args[i]--;
      }
    }
  }
}

TEST(MasksInAnyNumberDoNotExhaustTheStack) {
  std::vector<Rule> rules;
  for (uint32_t i = 1; i < 2000; i++)
    rules.push_back(When(Errno(i), {Masked(0, 64, i * 7, i * 5 & i * 7)}));
  CompileResult result = Compile(RulesOfOne(rules));
  CHECK(result.status == CompileResult::Status::kTooLarge || result.program.size() <= 4096);
  std::vector<Condition> conditions;
  for (uint32_t i = 1; i < 1000; i++) conditions.push_back(Masked(0, 32, i, i, true));
  RuleSet one_rule = RulesOfOne({When(kAllow, conditions)});
  CheckRows(one_rule, {{{0}, kAllow}, {{1}, kDeny}, {{0x400}, kAllow}, {{0x200}, kDeny}});
}

TEST(TheSameRulesGiveTheSameBytes) {
  for (const RuleSet& rules :
       {Unshareable(50, 3), Overlapping(40), OneRuleAValue(SpreadValues(99), 64)}) {
    Program first = CompileOk(rules);
    std::vector<std::vector<char>> noise(37, std::vector<char>(1013));  // other addresses
    RuleSet copy = rules;
    Program second = CompileOk(copy);
    CHECK_EQ(first.size(), second.size());
    CHECK(memcmp(first.data(), second.data(), first.size() * sizeof(first[0])) == 0);
  }
}

// FNV-1a, to compare programs with those of other machines.
uint64_t Hash(const Program& program) {
  uint64_t hash = 0xcbf29ce484222325;
  const unsigned char* bytes = reinterpret_cast<const unsigned char*>(program.data());
  for (size_t i = 0; i < program.size() * sizeof(program[0]); i++) {
    hash = (hash ^ bytes[i]) * 0x100000001b3;
  }
  return hash;
}

// Something of every pass, on three architectures, one of which has no call frequencies.
RuleSet SomeOfEverything() {
  std::vector<SyscallRules> syscalls;
  for (uint32_t number = 0; number < 450; number++) {
    if (number % 7 == 3 || number % 11 == 5 || number == 232) continue;
    syscalls.push_back(Syscall(number, kAllow));
  }
  auto replace = [&syscalls](uint32_t number, std::vector<Rule> rules) {
    for (SyscallRules& syscall : syscalls) {
      if (syscall.number == number) syscall = Syscall(number, Errno(1), std::move(rules));
    }
  };
  std::vector<Rule> requests;
  for (uint64_t value : SpreadValues(90)) requests.push_back(When(kAllow, {Is(1, 32, value)}));
  replace(16, requests);
  replace(41, {When(kAllow, {Is(0, 32, 1), Masked(1, 32, 15, 1)}), When(kLog, {Is(0, 32, 2)})});
  replace(56, {When(kAllow, {Masked(0, 64, 0x7e020000, 0)})});
  replace(9, {When(Errno(13), {InRanges(1, 64, {{1ull << 33, UINT64_MAX}})}), When(kAllow, {})});
  return Rules({Arch(kX64, Errno(1), syscalls, {{0x40000000, UINT32_MAX, Errno(38)}}),
                Arch(kArm64, Errno(1), syscalls), Arch(AUDIT_ARCH_I386, Errno(1), syscalls)});
}

TEST(ThreeArchitecturesShareWhatIsTheSame) {
  RuleSet rules = SomeOfEverything();
  Program program = CompileOk(rules);
  RuleSet alone = rules;
  alone.arches.resize(1);
  CHECK(program.size() < 2 * CompileOk(alone).size());
  for (const ArchRules& arch : rules.arches) {
    for (uint32_t number = 0; number < 500; number++) {
      for (uint64_t value : {0ull, 1ull, 2ull, 1015568748ull, 0x20000ull, 1ull << 33}) {
        seccomp_data call = Call(arch.audit_arch, number, {value, value});
        CHECK_EQ(Run(program, call), ReferenceAction(rules, call));
      }
    }
  }
}

TEST(TheSameRulesGiveTheSameBytesOnEveryMachine) {
  // Changes when the compiler does, and must not otherwise: not by the machine, the C++ compiler,
  // its options or the day.
  CHECK_EQ(Hash(CompileOk(SomeOfEverything())), 0xb253d3b55c62b6b0);
}

}  // namespace
}  // namespace seccomp_ts
