#include "../compiler/word_conditions.h"

#include <vector>

#include "check.h"
#include "reference.h"
#include "rules_builder.h"

namespace seccomp_ts {
namespace {

constexpr uint32_t kMasks[] = {0, 1, 2, 0x80, 0x55, 0xaa, 0x0f, 0xf0, 0x3c, 0xc3, 0x81, 0xfe, 0xff};

TEST(RoundsToWhatTheMaskLetsThrough) {
  for (uint32_t mask : kMasks) {
    for (uint32_t value = 0; value < 0x100; value++) {
      uint32_t above = value;
      while (above < 0x100 && (above & ~mask) != 0) above++;
      uint32_t below = value;
      while ((below & ~mask) != 0) below--;
      uint32_t rounded;
      CHECK_EQ(RoundUpToMask(value, mask, &rounded), above < 0x100);
      if (above < 0x100) CHECK_EQ(rounded, above);
      CHECK_EQ(RoundDownToMask(value, mask), below);
    }
  }
  uint32_t rounded;
  CHECK(RoundUpToMask(UINT32_MAX, UINT32_MAX, &rounded) && rounded == UINT32_MAX);
  CHECK(!RoundUpToMask(UINT32_MAX, 0x7fffffff, &rounded));
  CHECK_EQ(RoundDownToMask(UINT32_MAX, 0x80000001), 0x80000001u);
}

TEST(LearnsOnlyWhatAllValuesShare) {
  for (uint32_t mask : kMasks) {
    for (uint32_t low = 0; low < 0x100; low++) {
      for (uint32_t high = low; high < 0x100; high++) {
        if (((low | high) & ~mask) != 0) continue;
        KnownBits known = Learn({16, mask}, low, high);
        CHECK_EQ(known.mask & ~mask, 0u);
        for (uint32_t word = low; word <= high; word++) {
          if ((word & ~mask) == 0) CHECK_EQ(word & known.mask, known.value);
        }
      }
    }
  }
}

// What the tests say of an argument, followed to the end.
bool Holds(const WordTestTable& table, TestId test, uint64_t value) {
  while (test > kNever) {
    Operand operand = table[test].operand;
    uint64_t word = operand.offset == LowWord(0) ? value : value >> 32;
    test = table.Decide(test, static_cast<uint32_t>(word) & operand.mask);
  }
  return test == kAlways;
}

TEST(WordsSayWhatTheConditionSays) {
  const Condition conditions[] = {
      Is(0, 16, 0x1234),
      Is(0, 32, 0),
      Is(0, 64, 0x200000001),
      InRanges(0, 64, {{3, 0x100000003}, {0x100000005, 0x1fffffffe}, {0x300000000, 0x4ffffffff}}),
      InRanges(0, 64, {{0x100000000, 0x100000005}, {0x200000000, 0x200000005}}),
      Masked(0, 64, 0x300000003, 0x100000002),
      Masked(0, 64, 0x300000003, 0x100000002, true),
      Masked(0, 64, 0xffffffff00000000, 0, true),
      Masked(0, 32, 0xffffff00, 0x100),
      Masked(0, 16, 0xff00, 0x100, true),
  };
  for (const Condition& condition : conditions) {
    WordTestTable table;
    std::vector<TestId> tests;
    table.Lower(condition, &tests);
    for (uint64_t high = 0; high < 6; high++) {
      for (uint64_t low : {0u, 1u, 2u, 3u, 4u, 5u, 6u, 0xffu, 0x100u, 0x1ffu, 0x200u, 0x1234u,
                           0x81234u, 0xfffffffdu, 0xfffffffeu, 0xffffffffu}) {
        seccomp_data call = Call(kX64, 0, {high << 32 | low});
        bool all = true;
        for (TestId test : tests) all = all && Holds(table, test, call.args[0]);
        CHECK_EQ(all, ReferenceHolds(condition, call));
      }
    }
  }
}

TEST(EqualTestsHaveEqualIds) {
  WordTestTable table;
  std::vector<TestId> tests;
  // A mask of the top bits is a range; so is one that a wider condition puts on the low word.
  table.Lower(Masked(0, 32, 0xffffff00, 0x100), &tests);
  table.Lower(InRanges(0, 32, {{0x100, 0x1ff}}), &tests);
  table.Lower(Masked(0, 64, 0xffffff00, 0x100), &tests);
  // A mask looks at both words, and at the one that it leaves alone it always holds.
  CHECK_EQ(tests.size(), 5u);
  CHECK_EQ(tests[0], kAlways);
  CHECK_EQ(tests[1], tests[2]);
  CHECK_EQ(tests[3], kAlways);
  CHECK_EQ(tests[4], tests[2]);
}

}  // namespace
}  // namespace seccomp_ts
