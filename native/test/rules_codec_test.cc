#include "../rules_codec.h"

#include <cstring>
#include <vector>

#include "check.h"
#include "encode.h"
#include "rules_builder.h"

namespace seccomp_ts {
namespace {

using Words = std::vector<uint32_t>;

RuleSet Sample() {
  return Rules({Arch(kX64, Errno(38),
                     {Syscall(0, kAllow),
                      Syscall(16, Errno(1),
                              {When(kAllow, {InRanges(1, 32, {{5, 5}, {7, 0xffffffff}}),
                                             Masked(2, 64, 0xff00000000ff, 0x100000000001, true)}),
                               When(kLog, {InRanges(0, 16, {})}), When(kAllow, {})}),
                      Syscall(UINT32_MAX, kKill)},
                     {{0x40000000, 0x7fffffff, Errno(38)}, {0x80000000, 0x80000000, kKill}}),
                Arch(kArm64, kKill, {})},
               kKill);
}

bool IsValid(const Words& words) {
  RuleSet rules;
  DecodeError error;
  return Decode(words.data(), words.size(), &rules, &error);
}

// The message and offset with which the words are refused.
DecodeError ErrorOf(const Words& words) {
  RuleSet rules;
  DecodeError error = {SIZE_MAX, ""};
  CHECK(!Decode(words.data(), words.size(), &rules, &error));
  return error;
}

void CheckError(const RuleSet& rules, size_t offset, const char* message) {
  DecodeError error = ErrorOf(Encode(rules));
  CHECK_EQ(error.offset, offset);
  if (!CHECK(strcmp(error.message, message) == 0)) {
    fprintf(stderr, "  %s\n  not %s\n", error.message, message);
  }
}

TEST(ReadsWhatWasWritten) {
  Words words = Encode(Sample());
  RuleSet rules;
  DecodeError error;
  if (!CHECK(Decode(words.data(), words.size(), &rules, &error))) return;
  CHECK(Encode(rules) == words);

  // The same once more, field by field, in case reader and writer agree on the wrong thing.
  CHECK_EQ(rules.foreign_arch_action, kKill);
  CHECK_EQ(rules.arches.size(), 2u);
  CHECK_EQ(rules.arches[0].audit_arch, kX64);
  CHECK_EQ(rules.arches[0].default_action, Errno(38));
  CHECK_EQ(rules.arches[0].ranges[0].last, 0x7fffffffu);
  CHECK_EQ(rules.arches[0].ranges[1].action, kKill);
  const SyscallRules& ioctl = rules.arches[0].syscalls[1];
  CHECK_EQ(ioctl.number, 16u);
  CHECK_EQ(ioctl.otherwise, Errno(1));
  const Rule& rule = ioctl.rules[0];
  CHECK_EQ(rule.action, kAllow);
  CHECK_EQ(rule.conditions[0].argument, 1u);
  CHECK_EQ(rule.conditions[0].width, 32u);
  CHECK(rule.conditions[0].kind == Condition::Kind::kRanges);
  CHECK_EQ(rule.conditions[0].ranges[1].first, 7u);
  CHECK_EQ(rule.conditions[0].ranges[1].last, 0xffffffffu);
  CHECK(rule.conditions[1].kind == Condition::Kind::kMasked);
  CHECK_EQ(rule.conditions[1].mask, 0xff00000000ffu);
  CHECK_EQ(rule.conditions[1].expected, 0x100000000001u);
  CHECK(rule.conditions[1].negate);
  CHECK_EQ(ioctl.rules[1].conditions[0].width, 16u);
  CHECK(ioctl.rules[1].conditions[0].ranges.empty());
  CHECK(ioctl.rules[2].conditions.empty());
}

TEST(HasTheLayoutThatTypeScriptWrites) {
  const Words words = {
      0x31524353, 0x80000000, 1,                    // magic, foreign, arches
      0xc000003e, 0x00050001, 1,          1,        // arch, default, ranges, syscalls
      0x40000000, 0xffffffff, 0x00050026,           // x32
      41,         0x00050061, 1,                    // socket
      0x7fff0000, 2,                                // allow when
      0x00002000, 1,          2,          0, 3, 0,  // arg0, 32 bits, 2..3
      0x01014001, 0x0f,       0,          5, 0,     // (arg1 & 15) != 5, 64 bits
  };
  RuleSet rules;
  DecodeError error;
  if (!CHECK(Decode(words.data(), words.size(), &rules, &error))) {
    fprintf(stderr, "  word %zu: %s\n", error.offset, error.message);
    return;
  }
  const Rule& rule = rules.arches[0].syscalls[0].rules[0];
  CHECK_EQ(rule.conditions[0].ranges[0].last, 3u);
  CHECK(rule.conditions[1].negate);
  CHECK_EQ(rule.conditions[1].width, 64u);
}

TEST(RefusesEveryTruncation) {
  Words words = Encode(Sample());
  for (size_t length = 0; length < words.size(); length++) {
    CHECK(!IsValid(Words(words.begin(), words.begin() + static_cast<ptrdiff_t>(length))));
  }
  words.push_back(0);
  DecodeError error = ErrorOf(words);
  CHECK_EQ(error.offset, words.size() - 1);
}

TEST(RefusesCountsBeforeItTakesMemory) {
  Words words = Encode(Sample());
  // Each of these would be gigabytes; ASan's allocator would say so.
  for (size_t at :
       {size_t{2}, size_t{5}, size_t{6}, size_t{15}, size_t{18}, size_t{20}, size_t{22}}) {
    Words huge = words;
    huge[at] = 0xfffffff0;
    CHECK(!IsValid(huge));
  }
  // One element more than the words can hold.
  Words one_rule = Encode(RulesOfOne({When(kAllow, {})}));
  CHECK(IsValid(one_rule));
  one_rule[one_rule.size() - 3] = 2;
  CHECK(!IsValid(one_rule));
}

TEST(RefusesRuleSetsThatTheCompilerMustNotSee) {
  Words wrong_magic = Encode(Sample());
  wrong_magic[0]++;
  CHECK_EQ(ErrorOf(wrong_magic).offset, 0u);

  CheckError(Rules({}), 2, "no architecture");
  CheckError(Rules({Arch(kX64, 0, {}), Arch(kArm64, 0, {}), Arch(kX64, 0, {})}), 14,
             "architecture listed twice");
  CheckError(Rules(std::vector<ArchRules>(65, Arch(kX64, 0, {}))), 2,
             "more architectures than Linux has");

  auto ranges = [](std::vector<NumberRange> r) { return Rules({Arch(kX64, 0, {}, r)}); };
  CheckError(ranges({{5, 4, 0}}), 8, "range of numbers ends before it starts");
  const char* unsorted = "ranges of numbers not sorted or not disjoint";
  CheckError(ranges({{5, 9, 0}, {9, 12, 0}}), 10, unsorted);
  CheckError(ranges({{5, 9, 0}, {1, 2, 0}}), 10, unsorted);
  CHECK(IsValid(Encode(ranges({{5, 9, 0}, {10, 12, 0}}))));

  auto syscalls = [](std::vector<SyscallRules> s) {
    return Rules({Arch(kX64, 0, s, {{10, 20, 0}, {30, 30, 0}})});
  };
  const char* not_unique = "system calls not sorted by number or not unique";
  CheckError(syscalls({Syscall(5, 0), Syscall(5, 0)}), 16, not_unique);
  CheckError(syscalls({Syscall(5, 0), Syscall(4, 0)}), 16, not_unique);
  for (uint32_t number : {10u, 15u, 20u, 30u}) {
    CheckError(syscalls({Syscall(number, 0)}), 13, "system call in a range of numbers");
  }
  for (uint32_t number : {9u, 21u, 29u, 31u})
    CHECK(IsValid(Encode(syscalls({Syscall(number, 0)}))));
}

TEST(RefusesConditionsThatMakeNoSense) {
  auto one = [](const Condition& condition) { return RulesOfOne({When(kAllow, {condition})}); };
  constexpr size_t kHeader = 12;  // the condition's first word in these rule sets
  CheckError(one(Is(6, 32, 0)), kHeader, "condition on an argument after the sixth");
  for (uint8_t width : {0, 8, 33, 128}) {
    CheckError(one(Is(0, width, 0)), kHeader, "width is not 16, 32 or 64");
  }
  Words words = Encode(one(Is(0, 32, 0)));
  words[kHeader] |= 1u << 24;
  CHECK_EQ(ErrorOf(words).offset, kHeader);  // negated ranges
  words[kHeader] = 32u << 8 | 2u << 16;
  CHECK_EQ(ErrorOf(words).offset, kHeader);  // no such kind
  words = Encode(one(Masked(0, 32, 0, 0)));
  words[kHeader] |= 2u << 24;
  CHECK_EQ(ErrorOf(words).offset, kHeader);  // neither negated nor not

  const char* too_wide = "value does not fit the width";
  CheckError(one(Is(0, 16, 0x10000)), kHeader + 3, too_wide);
  CheckError(one(Is(0, 32, 0x100000000)), kHeader + 3, too_wide);
  CheckError(one(InRanges(0, 32, {{0, 0x100000000}})), kHeader + 5, too_wide);
  CheckError(one(Masked(0, 32, 0x100000000, 0)), kHeader + 2, too_wide);
  CheckError(one(Masked(0, 16, 0, 0x10000)), kHeader + 4, too_wide);
  CHECK(IsValid(Encode(one(Is(0, 16, 0xffff)))));
  CHECK(IsValid(Encode(one(Is(0, 64, UINT64_MAX)))));

  CheckError(one(InRanges(0, 64, {{2, 1}})), kHeader + 5, "range ends before it starts");
  const char* unsorted = "ranges not sorted or not disjoint";
  CheckError(one(InRanges(0, 64, {{1, 5}, {5, 9}})), kHeader + 7, unsorted);
  CheckError(one(InRanges(0, 64, {{7, 9}, {1, 5}})), kHeader + 7, unsorted);
  CheckError(one(InRanges(0, 64, {{1, 5}, {6, 9}})), kHeader + 7,
             "adjacent ranges, which should be one");
  CheckError(one(InRanges(0, 64, {{1, UINT64_MAX}, {0, 0}})), kHeader + 7, unsorted);
}

TEST(SurvivesAnyWords) {
  // Single words changed in a good rule set reach further than noise does.
  Words words = Encode(Sample());
  for (size_t at = 0; at < words.size(); at++) {
    for (uint32_t value : {0u, 1u, 2u, 3u, 0x7fffffffu, 0x80000000u, UINT32_MAX}) {
      Words changed = words;
      changed[at] = value;
      RuleSet rules;
      DecodeError error = {SIZE_MAX, nullptr};
      if (Decode(changed.data(), changed.size(), &rules, &error)) {
        CHECK(Encode(rules) == changed);
      } else {
        CHECK(error.message != nullptr);
        CHECK(error.offset <= changed.size());
      }
    }
  }
  CHECK_EQ(ErrorOf({}).offset, 0u);
}

}  // namespace
}  // namespace seccomp_ts
