// The typed intermediate form: conditions on 64-bit arguments become tests on 32-bit words, the
// only thing that classic BPF can load and compare.
#ifndef SECCOMP_TS_NATIVE_COMPILER_WORD_CONDITIONS_H_
#define SECCOMP_TS_NATIVE_COMPILER_WORD_CONDITIONS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "../rules.h"
#include "decision_graph.h"
#include "interner.h"

namespace seccomp_ts {

using TestId = uint32_t;

constexpr TestId kAlways = 0;
constexpr TestId kNever = 1;

// For these values of the operand the test comes down to `rest`.
struct Piece {
  uint32_t first;
  uint32_t last;
  TestId rest;
};

// A test of one word: holds where a piece says so, never outside of them. Where `rest` is itself a
// test, it looks at the low word of the argument whose high word this one looks at.
struct WordTest {
  Operand operand;
  std::vector<Piece> pieces;  // sorted, disjoint, `rest` never kNever

  bool IsSet() const;  // every piece is kAlways: membership in a set of values
};

// What a value between `low` and `high` (masked, both possible) tells about the word.
struct KnownBits {
  uint32_t offset;
  uint32_t mask;
  uint32_t value;
};

KnownBits Learn(Operand operand, uint32_t low, uint32_t high);

// The least value >= `value`, and the greatest <= `value`, that a word can have under `mask`.
// False if there is no such value.
bool RoundUpToMask(uint32_t value, uint32_t mask, uint32_t* rounded);
uint32_t RoundDownToMask(uint32_t value, uint32_t mask);

// Every distinct test once. Equal tests have equal ids.
class WordTestTable {
 public:
  WordTestTable();

  // Appends the tests that together say what the condition says.
  void Lower(const Condition& condition, std::vector<TestId>* tests);

  // The test's id: kAlways or kNever if its outcome is certain.
  TestId Add(Operand operand, std::vector<Piece> pieces);

  // What is left of the test when its own operand has this value.
  TestId Decide(TestId test, uint32_t value) const;

  // What is left of it when that much is known of the word it looks at.
  TestId Simplify(TestId test, const KnownBits& known);

  // How many instructions the test takes on its own, roughly.
  size_t SizeOf(TestId test) const;

  const WordTest& operator[](TestId id) const { return tests_[id]; }

 private:
  void LowerRanges(const Condition& condition, std::vector<TestId>* tests);
  void LowerWideRanges(const Condition& condition, std::vector<TestId>* tests);
  void LowerMasked(const Condition& condition, std::vector<TestId>* tests);
  TestId AddMasked(Operand word, uint32_t mask, uint32_t expected, bool negate);

  std::vector<WordTest> tests_;
  Interner ids_;
  std::vector<uint32_t> scratch_;
};

}  // namespace seccomp_ts

#endif  // SECCOMP_TS_NATIVE_COMPILER_WORD_CONDITIONS_H_
