#include "rule_matcher.h"

#include <algorithm>
#include <utility>

namespace seccomp_ts {
namespace {

constexpr NodeId kUndecided = UINT32_MAX;

// The words tested on one path before the attempt is given up. Bounds the recursion.
constexpr size_t kMaxDepth = 48;

// Words are tested in the order of the arguments, the high one of a pair first.
uint32_t Rank(Operand operand) { return operand.offset ^ 4; }

struct OperandUse {
  Operand operand;
  size_t rules;
};

bool IsBetter(const OperandUse& a, const OperandUse& b) {
  if (a.rules != b.rules) return a.rules > b.rules;
  if (a.operand.offset != b.operand.offset) return Rank(a.operand) < Rank(b.operand);
  // What is known through the larger mask settles more of the tests through the smaller one.
  return a.operand.mask > b.operand.mask;
}

uint32_t OffsetBit(Operand operand) { return 1u << (operand.offset / sizeof(uint32_t)); }

// Sorts by first value and joins what overlaps.
std::vector<Piece> UniteSets(std::vector<Piece> pieces) {
  std::sort(pieces.begin(), pieces.end(),
            [](const Piece& a, const Piece& b) { return a.first < b.first; });
  size_t kept = 0;
  for (const Piece& piece : pieces) {
    if (kept != 0 && piece.first <= pieces[kept - 1].last) {
      pieces[kept - 1].last = std::max(pieces[kept - 1].last, piece.last);
    } else {
      pieces[kept++] = piece;
    }
  }
  pieces.resize(kept);
  return pieces;
}

}  // namespace

class RuleMatcher::RuleList {
 public:
  struct Rule {
    NodeId outcome;
    const TestId* tests;
    size_t count;
  };

  explicit RuleList(NodeId otherwise) : words_{otherwise} {}

  // Adds a rule that is tried before those added so far. The tests must not be certain.
  void Prepend(NodeId outcome, std::vector<TestId>* tests) {
    std::sort(tests->begin(), tests->end());
    tests->erase(std::unique(tests->begin(), tests->end()), tests->end());
    if (tests->empty()) {
      words_ = {outcome};
      front_ = 0;
      return;
    }
    // A later rule with the same tests is never reached.
    if (front_ != 0 && HasTests(front_, *tests)) words_.resize(front_);
    front_ = 0;
    if (words_.size() == 1 && outcome == otherwise()) return;
    front_ = words_.size();
    words_.push_back(outcome);
    words_.push_back(static_cast<uint32_t>(tests->size()));
    words_.insert(words_.end(), tests->begin(), tests->end());
  }

  NodeId otherwise() const { return words_[0]; }
  bool empty() const { return words_.size() == 1; }
  const std::vector<uint32_t>& words() const { return words_; }

  // The rules in the order they were added. `at` starts at kFirst and is moved on.
  static constexpr size_t kFirst = 1;
  bool Next(size_t* at, Rule* rule) const {
    if (*at == words_.size()) return false;
    *rule = {words_[*at], &words_[*at + 2], words_[*at + 1]};
    *at += 2 + rule->count;
    return true;
  }

 private:
  bool HasTests(size_t rule, const std::vector<TestId>& tests) const {
    return words_[rule + 1] == tests.size() &&
           std::equal(tests.begin(), tests.end(), words_.begin() + rule + 2);
  }

  std::vector<uint32_t> words_;
  size_t front_ = 0;  // where the rule that was added last starts; 0: not known
};

NodeId RuleMatcher::Match(const SyscallRules& rules) {
  // Most calls of most policies: nothing to match.
  if (!rules.rules.empty() && rules.rules[0].conditions.empty()) {
    return graph_->Return(rules.rules[0].action);
  }
  std::vector<Entry> entries = MergeAlternatives(Lower(rules));
  return MatchInTurn(entries.data(), entries.size(), graph_->Return(rules.otherwise));
}

// Drops what never matches, tests that always hold, and what comes after a rule without tests.
std::vector<RuleMatcher::Entry> RuleMatcher::Lower(const SyscallRules& rules) {
  std::vector<Entry> entries;
  for (const Rule& rule : rules.rules) {
    Entry entry = {{}, graph_->Return(rule.action)};
    for (const Condition& condition : rule.conditions) tests_.Lower(condition, &entry.tests);
    std::vector<TestId>& tests = entry.tests;
    if (std::find(tests.begin(), tests.end(), kNever) != tests.end()) continue;
    tests.erase(std::remove(tests.begin(), tests.end(), kAlways), tests.end());
    bool certain = tests.empty();
    entries.push_back(std::move(entry));
    if (certain) break;
  }
  return entries;
}

// Makes one rule of neighbours with one outcome that differ in one set of values: profiles spell
// `cmd in {a, b, c}` as three rules.
std::vector<RuleMatcher::Entry> RuleMatcher::MergeAlternatives(std::vector<Entry> entries) {
  // Where the two differ, if it is in one place and both test a set of values of one operand there.
  auto differ_at = [this](const Entry& a, const Entry& b, size_t* position) {
    if (a.outcome != b.outcome || a.tests.size() != b.tests.size()) return false;
    auto at = std::mismatch(a.tests.begin(), a.tests.end(), b.tests.begin());
    if (at.first == a.tests.end()) return false;
    if (!std::equal(at.first + 1, a.tests.end(), at.second + 1)) return false;
    const WordTest& one = tests_[*at.first];
    const WordTest& other = tests_[*at.second];
    *position = static_cast<size_t>(at.first - a.tests.begin());
    return one.operand == other.operand && one.IsSet() && other.IsSet();
  };

  std::vector<Entry> merged;
  for (size_t first = 0; first < entries.size();) {
    size_t next = first + 1;
    size_t position = 0;
    size_t same_position = 0;
    if (next < entries.size() && differ_at(entries[first], entries[next], &position)) {
      do {
        next++;
      } while (next < entries.size() && differ_at(entries[first], entries[next], &same_position) &&
               same_position == position);
    }
    merged.push_back(MergeStretch(&entries[first], next - first, position));
    first = next;
  }
  return merged;
}

RuleMatcher::Entry RuleMatcher::MergeStretch(const Entry* entries, size_t count, size_t position) {
  Entry merged = entries[0];
  if (count == 1) return merged;
  Operand operand = tests_[merged.tests[position]].operand;
  std::vector<Piece> pieces;
  for (size_t i = 0; i < count; i++) {
    const std::vector<Piece>& more = tests_[entries[i].tests[position]].pieces;
    pieces.insert(pieces.end(), more.begin(), more.end());
  }
  merged.tests[position] = tests_.Add(operand, UniteSets(std::move(pieces)));
  if (merged.tests[position] == kAlways) {
    merged.tests.erase(merged.tests.begin() + static_cast<ptrdiff_t>(position));
  }
  return merged;
}

// All rules at once if that stays small, else the first half and then the second.
NodeId RuleMatcher::MatchInTurn(const Entry* entries, size_t count, NodeId otherwise) {
  if (count == 0) return otherwise;
  size_t size = 0;
  for (size_t i = 0; i < count; i++) {
    for (TestId test : entries[i].tests) size += tests_.SizeOf(test);
  }
  // An attempt that fails leaves half of the steps to those on fewer rules.
  Budget budget = {size * growth_, steps_left_ / 2};
  steps_left_ -= budget.steps;
  NodeId result;
  bool done = MatchAtOnce(entries, count, otherwise, &budget, &result);
  steps_left_ += budget.steps;
  if (done) return result;
  if (count == 1) return MatchOne(entries[0], otherwise);
  size_t half = count / 2;
  otherwise = MatchInTurn(entries + half, count - half, otherwise);
  return MatchInTurn(entries, half, otherwise);
}

// The tests of one rule, one after the other: never larger than the tests themselves.
NodeId RuleMatcher::MatchOne(const Entry& entry, NodeId otherwise) {
  NodeId node = entry.outcome;
  for (size_t i = entry.tests.size(); i-- > 0;) {
    Entry single = {{entry.tests[i]}, node};
    Budget unlimited = {SIZE_MAX, SIZE_MAX};
    MatchAtOnce(&single, 1, otherwise, &unlimited, &node);
  }
  return node;
}

bool RuleMatcher::MatchAtOnce(const Entry* entries, size_t count, NodeId otherwise, Budget* budget,
                              NodeId* result) {
  RuleList list(otherwise);
  for (size_t i = count; i-- > 0;) {
    std::vector<TestId> tests = entries[i].tests;
    list.Prepend(entries[i].outcome, &tests);
  }
  return Decide(list, 0, budget, result);
}

bool RuleMatcher::Decide(const RuleList& list, size_t depth, Budget* budget, NodeId* result) {
  if (list.empty()) {
    *result = list.otherwise();
    return true;
  }
  if (depth == kMaxDepth) return false;
  uint32_t id = lists_.Intern(list.words().data(), list.words().size());
  if (id == decided_.size()) decided_.push_back(kUndecided);
  if (decided_[id] == kUndecided) {
    if (!DecideByOperand(list, ChooseOperand(list), depth, budget, result)) return false;
    decided_[id] = *result;
  }
  *result = decided_[id];
  return true;
}

bool RuleMatcher::DecideByOperand(const RuleList& list, Operand operand, size_t depth,
                                  Budget* budget, NodeId* result) {
  std::vector<uint32_t> starts = IntervalStarts(list, operand);
  size_t steps = starts.size() * list.words().size();
  if (steps > budget->steps) return false;
  budget->steps -= steps;

  std::vector<Run> runs;
  for (size_t i = 0; i < starts.size(); i++) {
    uint32_t low;
    uint32_t high = i + 1 < starts.size() ? starts[i + 1] - 1 : operand.mask;
    if (!RoundUpToMask(starts[i], operand.mask, &low) || low > high) continue;
    high = RoundDownToMask(high, operand.mask);
    NodeId target;
    if (!Decide(Restrict(list, operand, low, high), depth + 1, budget, &target)) return false;
    AppendRun(&runs, {low, high, target});
  }
  if (runs.size() - 1 > budget->tests) return false;
  budget->tests -= runs.size() - 1;
  *result = BuildDispatch(graph_, operand, runs);
  return true;
}

// The operand that most rules look at, so that one test serves as many as possible.
Operand RuleMatcher::ChooseOperand(const RuleList& list) const {
  std::vector<OperandUse> uses;
  // Low words whose test is not known before the high word is: testing them now would not settle
  // it.
  uint32_t waiting = 0;
  RuleList::Rule rule;
  for (size_t at = RuleList::kFirst; list.Next(&at, &rule);) {
    for (size_t i = 0; i < rule.count; i++) {
      const WordTest& test = tests_[rule.tests[i]];
      auto use = std::find_if(uses.begin(), uses.end(),
                              [&test](const OperandUse& u) { return u.operand == test.operand; });
      if (use == uses.end()) {
        uses.push_back({test.operand, 1});
      } else {
        use->rules++;
      }
      for (const Piece& piece : test.pieces) {
        if (piece.rest != kAlways) waiting |= OffsetBit(tests_[piece.rest].operand);
      }
    }
  }
  const OperandUse* best = nullptr;
  for (const OperandUse& use : uses) {
    if ((waiting & OffsetBit(use.operand)) != 0) continue;
    if (best == nullptr || IsBetter(use, *best)) best = &use;
  }
  return best->operand;
}

// Between two of these values no test of the operand changes its outcome.
std::vector<uint32_t> RuleMatcher::IntervalStarts(const RuleList& list, Operand operand) const {
  std::vector<uint32_t> starts = {0};
  RuleList::Rule rule;
  for (size_t at = RuleList::kFirst; list.Next(&at, &rule);) {
    for (size_t i = 0; i < rule.count; i++) {
      const WordTest& test = tests_[rule.tests[i]];
      if (test.operand != operand) continue;
      for (const Piece& piece : test.pieces) {
        starts.push_back(piece.first);
        if (piece.last < operand.mask) starts.push_back(piece.last + 1);
      }
    }
  }
  std::sort(starts.begin(), starts.end());
  starts.erase(std::unique(starts.begin(), starts.end()), starts.end());
  return starts;
}

// The rules that are left, and what is left of them, when the operand lies in low..high.
RuleMatcher::RuleList RuleMatcher::Restrict(const RuleList& list, Operand operand, uint32_t low,
                                            uint32_t high) {
  KnownBits known = Learn(operand, low, high);
  RuleList restricted(list.otherwise());
  std::vector<TestId> left;
  RuleList::Rule rule;
  for (size_t at = RuleList::kFirst; list.Next(&at, &rule);) {
    left.clear();
    bool possible = true;
    for (size_t i = 0; i < rule.count && possible; i++) {
      TestId test = rule.tests[i];
      test =
          tests_[test].operand == operand ? tests_.Decide(test, low) : tests_.Simplify(test, known);
      if (test == kNever) possible = false;
      if (test > kNever) left.push_back(test);
    }
    if (possible) restricted.Prepend(rule.outcome, &left);
  }
  return restricted;
}

}  // namespace seccomp_ts
