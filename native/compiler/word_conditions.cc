#include "word_conditions.h"

#include <algorithm>
#include <utility>

namespace seccomp_ts {
namespace {

constexpr uint32_t Low(uint64_t value) { return static_cast<uint32_t>(value); }
constexpr uint32_t High(uint64_t value) { return static_cast<uint32_t>(value >> 32); }

// `value` and every bit below its highest one.
constexpr uint32_t FillDown(uint32_t value) {
  for (uint32_t shift = 1; shift < 32; shift *= 2) value |= value >> shift;
  return value;
}

// The part of the low word that an argument of this width has.
Operand LowOperand(const Condition& condition) {
  return {LowWord(condition.argument), condition.width == 16 ? 0xffffu : kAllBits};
}

Operand HighOperand(const Condition& condition) { return {HighWord(condition.argument), kAllBits}; }

// One value of the high word, or several with the same accepted low words.
struct HighPiece {
  uint32_t first;
  uint32_t last;
  std::vector<Piece> low;
};

void AppendHighPiece(std::vector<HighPiece>* pieces, uint32_t high, uint32_t last_high,
                     uint32_t low_first, uint32_t low_last) {
  // Two ranges may share a high word, the one that they both end or begin in.
  if (!pieces->empty() && pieces->back().last == high) {
    pieces->back().low.push_back({low_first, low_last, kAlways});
  } else {
    pieces->push_back({high, last_high, {{low_first, low_last, kAlways}}});
  }
}

// Makes one piece of pieces that touch and come down to the same, so that equal tests look equal.
void JoinNeighbours(std::vector<Piece>* pieces) {
  size_t kept = 0;
  for (const Piece& piece : *pieces) {
    if (kept != 0) {
      Piece& before = (*pieces)[kept - 1];
      if (before.rest == piece.rest && before.last + 1 == piece.first) {
        before.last = piece.last;
        continue;
      }
    }
    (*pieces)[kept++] = piece;
  }
  pieces->resize(kept);
}

// Cuts 64-bit ranges at the borders of the high word.
std::vector<HighPiece> SplitByHighWord(const std::vector<Range>& ranges) {
  std::vector<HighPiece> pieces;
  for (const Range& range : ranges) {
    uint32_t first = High(range.first);
    uint32_t last = High(range.last);
    if (first == last) {
      AppendHighPiece(&pieces, first, first, Low(range.first), Low(range.last));
      continue;
    }
    // The high words that are accepted whole; the ends too where their low words are.
    uint64_t whole_first = first;
    uint64_t whole_last = last;
    if (Low(range.first) != 0) {
      AppendHighPiece(&pieces, first, first, Low(range.first), UINT32_MAX);
      whole_first++;
    }
    if (Low(range.last) != UINT32_MAX) whole_last--;
    if (whole_first <= whole_last) {
      AppendHighPiece(&pieces, static_cast<uint32_t>(whole_first),
                      static_cast<uint32_t>(whole_last), 0, UINT32_MAX);
    }
    if (Low(range.last) != UINT32_MAX) AppendHighPiece(&pieces, last, last, 0, Low(range.last));
  }
  return pieces;
}

}  // namespace

bool WordTest::IsSet() const {
  for (const Piece& piece : pieces) {
    if (piece.rest != kAlways) return false;
  }
  return true;
}

KnownBits Learn(Operand operand, uint32_t low, uint32_t high) {
  // Above the highest bit in which the ends differ, all values between them agree.
  uint32_t mask = operand.mask & ~FillDown(low ^ high);
  return {operand.offset, mask, low & mask};
}

bool RoundUpToMask(uint32_t value, uint32_t mask, uint32_t* rounded) {
  if ((value & ~mask) != 0) {
    // Below its highest impossible bit the value may as well be all ones: the next possible one is
    // beyond either way. Ones in the gaps of the mask carry the addition across them.
    uint32_t filled = value | FillDown(value & ~mask);
    value = ((filled | ~mask) + 1) & mask;
    if (value == 0) return false;
  }
  *rounded = value;
  return true;
}

uint32_t RoundDownToMask(uint32_t value, uint32_t mask) {
  uint32_t free = FillDown(value & ~mask);
  return (value | free) & mask;
}

WordTestTable::WordTestTable() {
  tests_.resize(2);  // kAlways and kNever look at nothing
  for (uint32_t id : {kAlways, kNever}) ids_.Intern(&id, 1);
}

void WordTestTable::Lower(const Condition& condition, std::vector<TestId>* tests) {
  if (condition.kind == Condition::Kind::kMasked) {
    LowerMasked(condition, tests);
  } else {
    LowerRanges(condition, tests);
  }
}

void WordTestTable::LowerRanges(const Condition& condition, std::vector<TestId>* tests) {
  if (condition.width == 64) return LowerWideRanges(condition, tests);
  std::vector<Piece> pieces;
  for (const Range& range : condition.ranges) {
    pieces.push_back({Low(range.first), Low(range.last), kAlways});
  }
  tests->push_back(Add(LowOperand(condition), std::move(pieces)));
}

void WordTestTable::LowerWideRanges(const Condition& condition, std::vector<TestId>* tests) {
  std::vector<Piece> high;
  bool same_low = true;
  for (const HighPiece& piece : SplitByHighWord(condition.ranges)) {
    TestId low = Add(LowOperand(condition), piece.low);
    high.push_back({piece.first, piece.last, low});
    same_low = same_low && low == high.front().rest;
  }
  // Where the same low words are accepted whatever the high word, the two are independent tests,
  // and either one may turn out to be certain.
  if (same_low && !high.empty()) {
    tests->push_back(high.front().rest);
    for (Piece& piece : high) piece.rest = kAlways;
  }
  tests->push_back(Add(HighOperand(condition), std::move(high)));
}

void WordTestTable::LowerMasked(const Condition& condition, std::vector<TestId>* tests) {
  Operand low = LowOperand(condition);
  Operand high = HighOperand(condition);
  uint64_t mask = condition.mask;
  uint64_t expected = condition.expected;
  if (condition.width != 64) {
    mask &= low.mask;
    expected &= low.mask;
  }
  if ((expected & ~mask) != 0) {
    tests->push_back(condition.negate ? kAlways : kNever);
    return;
  }
  if (!condition.negate) {
    tests->push_back(AddMasked(high, High(mask), High(expected), false));
    tests->push_back(AddMasked(low, Low(mask), Low(expected), false));
    return;
  }
  TestId low_differs = AddMasked(low, Low(mask), Low(expected), true);
  if (High(mask) == 0) {
    tests->push_back(low_differs);
    return;
  }
  // The high word differs, or it is as expected and the low word differs.
  Operand masked = {high.offset, High(mask)};
  std::vector<Piece> pieces;
  if (High(expected) != 0) pieces.push_back({0, High(expected) - 1, kAlways});
  if (low_differs != kNever) pieces.push_back({High(expected), High(expected), low_differs});
  if (High(expected) != masked.mask) pieces.push_back({High(expected) + 1, masked.mask, kAlways});
  tests->push_back(Add(masked, std::move(pieces)));
}

// The test ((word & mask) == expected) != negate.
TestId WordTestTable::AddMasked(Operand word, uint32_t mask, uint32_t expected, bool negate) {
  uint32_t first = expected;
  uint32_t last = expected;
  Operand operand = {word.offset, mask};
  // A mask of the top bits asks for a range, which needs no AND and combines with other ranges.
  if (mask == ~FillDown(~mask)) {
    operand.mask = kAllBits;
    last = expected | ~mask;
  }
  std::vector<Piece> pieces;
  if (!negate) {
    pieces.push_back({first, last, kAlways});
  } else {
    if (first != 0) pieces.push_back({0, first - 1, kAlways});
    if (last != operand.mask) pieces.push_back({last + 1, operand.mask, kAlways});
  }
  return Add(operand, std::move(pieces));
}

TestId WordTestTable::Add(Operand operand, std::vector<Piece> pieces) {
  JoinNeighbours(&pieces);
  if (pieces.empty()) return kNever;
  if (pieces.size() == 1 && pieces[0].first == 0 && pieces[0].last >= operand.mask) {
    return pieces[0].rest;
  }
  scratch_.clear();
  scratch_.push_back(operand.offset);
  scratch_.push_back(operand.mask);
  for (const Piece& piece : pieces) {
    scratch_.push_back(piece.first);
    scratch_.push_back(piece.last);
    scratch_.push_back(piece.rest);
  }
  TestId id = ids_.Intern(scratch_.data(), scratch_.size());
  if (id == tests_.size()) tests_.push_back({operand, std::move(pieces)});
  return id;
}

TestId WordTestTable::Decide(TestId test, uint32_t value) const {
  const std::vector<Piece>& pieces = tests_[test].pieces;
  auto after = std::upper_bound(pieces.begin(), pieces.end(), value,
                                [](uint32_t v, const Piece& piece) { return v < piece.first; });
  if (after == pieces.begin()) return kNever;
  const Piece& piece = *(after - 1);
  return value <= piece.last ? piece.rest : kNever;
}

TestId WordTestTable::Simplify(TestId test, const KnownBits& known) {
  if (test <= kNever) return test;
  const WordTest& word_test = tests_[test];
  Operand operand = word_test.operand;
  uint32_t known_here = operand.mask & known.mask;
  if (operand.offset != known.offset || known_here == 0) return test;
  if (known_here == operand.mask) return Decide(test, known.value & operand.mask);
  auto contradicts = [&known, known_here](const Piece& piece) {
    return piece.first == piece.last && ((piece.first ^ known.value) & known_here) != 0;
  };
  if (std::none_of(word_test.pieces.begin(), word_test.pieces.end(), contradicts)) return test;
  std::vector<Piece> possible = word_test.pieces;
  possible.erase(std::remove_if(possible.begin(), possible.end(), contradicts), possible.end());
  return Add(operand, std::move(possible));
}

size_t WordTestTable::SizeOf(TestId test) const {
  size_t size = 1;  // the load
  for (const Piece& piece : tests_[test].pieces) {
    size += 2;  // a test at either end
    if (piece.rest != kAlways) size += SizeOf(piece.rest);
  }
  return size;
}

}  // namespace seccomp_ts
