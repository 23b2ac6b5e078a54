#include "rules_codec.h"

#include <algorithm>

namespace seccomp_ts {
namespace {

constexpr uint32_t kMaxArgument = 5;

// Linux knows about fifty AUDIT_ARCH_* values (linux/audit.h); a bound keeps the search for
// duplicates short.
constexpr uint32_t kMaxArches = 64;

// The fewest words that one element can take, by which counts are checked before memory is taken.
constexpr size_t kArchWords = 4;
constexpr size_t kNumberRangeWords = 3;
constexpr size_t kSyscallWords = 3;
constexpr size_t kRuleWords = 2;
constexpr size_t kConditionWords = 2;
constexpr size_t kRangeWords = 4;

constexpr uint64_t MaxOfWidth(uint32_t width) {
  return width == 64 ? UINT64_MAX : (uint64_t{1} << width) - 1;
}

// Reads from start to end. The first failure is kept, and nothing is read after it.
class Decoder {
 public:
  Decoder(const uint32_t* words, size_t count, DecodeError* error)
      : words_(words), count_(count), error_(error) {}

  bool ReadRuleSet(RuleSet* out) {
    uint32_t magic;
    uint32_t arches;
    if (!ReadWord(&magic)) return false;
    if (magic != kRulesMagic) return Fail("not a rule set: wrong magic");
    if (!ReadWord(&out->foreign_arch_action) || !ReadCount(&arches, kArchWords)) return false;
    if (arches == 0) return Fail("no architecture");
    if (arches > kMaxArches) return Fail("more architectures than Linux has");
    out->arches.resize(arches);
    for (size_t i = 0; i < arches; i++) {
      if (!ReadArch(&out->arches[i])) return false;
      for (size_t j = 0; j < i; j++) {
        if (out->arches[j].audit_arch == out->arches[i].audit_arch) {
          return Fail("architecture listed twice");
        }
      }
    }
    return next_ == count_ || FailAt(next_, "words after the end of the rule set");
  }

 private:
  bool ReadArch(ArchRules* arch) {
    uint32_t ranges;
    uint32_t syscalls;
    if (!ReadWord(&arch->audit_arch) || !ReadWord(&arch->default_action)) return false;
    if (!ReadCount(&ranges, kNumberRangeWords)) return false;
    if (!ReadCount(&syscalls, kSyscallWords)) return false;
    arch->ranges.resize(ranges);
    for (size_t i = 0; i < ranges; i++) {
      NumberRange* range = &arch->ranges[i];
      if (!ReadWord(&range->first)) return false;
      if (i > 0 && range->first <= arch->ranges[i - 1].last) {
        return Fail("ranges of numbers not sorted or not disjoint");
      }
      if (!ReadWord(&range->last)) return false;
      if (range->first > range->last) return Fail("range of numbers ends before it starts");
      if (!ReadWord(&range->action)) return false;
    }
    if (!Fits(syscalls, kSyscallWords)) return false;
    arch->syscalls.resize(syscalls);
    for (size_t i = 0; i < syscalls; i++) {
      SyscallRules* syscall = &arch->syscalls[i];
      if (!ReadWord(&syscall->number)) return false;
      if (i > 0 && syscall->number <= arch->syscalls[i - 1].number) {
        return Fail("system calls not sorted by number or not unique");
      }
      if (IsInRanges(syscall->number, arch->ranges)) {
        return Fail("system call in a range of numbers");
      }
      if (!ReadSyscall(syscall)) return false;
    }
    return true;
  }

  static bool IsInRanges(uint32_t number, const std::vector<NumberRange>& ranges) {
    auto after =
        std::upper_bound(ranges.begin(), ranges.end(), number,
                         [](uint32_t n, const NumberRange& range) { return n < range.first; });
    return after != ranges.begin() && number <= (after - 1)->last;
  }

  bool ReadSyscall(SyscallRules* syscall) {
    uint32_t rules;
    if (!ReadWord(&syscall->otherwise) || !ReadCount(&rules, kRuleWords)) return false;
    syscall->rules.resize(rules);
    for (Rule& rule : syscall->rules) {
      uint32_t conditions;
      if (!ReadWord(&rule.action) || !ReadCount(&conditions, kConditionWords)) return false;
      rule.conditions.resize(conditions);
      for (Condition& condition : rule.conditions) {
        if (!ReadCondition(&condition)) return false;
      }
    }
    return true;
  }

  bool ReadCondition(Condition* condition) {
    uint32_t header;
    if (!ReadWord(&header)) return false;
    uint32_t argument = header & 0xff;
    uint32_t width = header >> 8 & 0xff;
    uint32_t kind = header >> 16 & 0xff;
    uint32_t negate = header >> 24;
    if (argument > kMaxArgument) return Fail("condition on an argument after the sixth");
    if (width != 16 && width != 32 && width != 64) return Fail("width is not 16, 32 or 64");
    if (kind > 1) return Fail("unknown kind of condition");
    if (negate > 1 || (negate == 1 && kind == 0)) return Fail("negation not 0, or 1 where masked");
    condition->argument = static_cast<uint8_t>(argument);
    condition->width = static_cast<uint8_t>(width);
    condition->negate = negate == 1;
    if (kind == 1) {
      condition->kind = Condition::Kind::kMasked;
      return ReadValue(&condition->mask, width) && ReadValue(&condition->expected, width);
    }
    condition->kind = Condition::Kind::kRanges;
    return ReadRanges(&condition->ranges, width);
  }

  bool ReadRanges(std::vector<Range>* ranges, uint32_t width) {
    uint32_t count;
    if (!ReadCount(&count, kRangeWords)) return false;
    ranges->resize(count);
    for (size_t i = 0; i < count; i++) {
      Range* range = &(*ranges)[i];
      if (!ReadValue(&range->first, width)) return false;
      if (i > 0) {
        uint64_t before = (*ranges)[i - 1].last;
        if (range->first <= before) return Fail("ranges not sorted or not disjoint");
        if (range->first == before + 1) return Fail("adjacent ranges, which should be one");
      }
      if (!ReadValue(&range->last, width)) return false;
      if (range->first > range->last) return Fail("range ends before it starts");
    }
    return true;
  }

  bool ReadValue(uint64_t* value, uint32_t width) {
    uint32_t low;
    uint32_t high;
    if (!ReadWord(&low) || !ReadWord(&high)) return false;
    *value = uint64_t{high} << 32 | low;
    return *value <= MaxOfWidth(width) || Fail("value does not fit the width");
  }

  // Reads how many elements follow; refuses more than the remaining words can hold.
  bool ReadCount(uint32_t* elements, size_t words_each) {
    return ReadWord(elements) && Fits(*elements, words_each);
  }

  bool Fits(uint32_t elements, size_t words_each) {
    return elements <= (count_ - next_) / words_each || Fail("count beyond the end of the words");
  }

  bool ReadWord(uint32_t* word) {
    if (next_ == count_) return FailAt(next_, "words end in the middle of the rule set");
    *word = words_[next_++];
    return true;
  }

  // Blames the word that was read last.
  bool Fail(const char* message) { return FailAt(next_ - 1, message); }

  bool FailAt(size_t offset, const char* message) {
    *error_ = {offset, message};
    return false;
  }

  const uint32_t* words_;
  size_t count_;
  size_t next_ = 0;
  DecodeError* error_;
};

}  // namespace

bool Decode(const uint32_t* words, size_t count, RuleSet* out, DecodeError* error) {
  *out = RuleSet();
  return Decoder(words, count, error).ReadRuleSet(out);
}

}  // namespace seccomp_ts
