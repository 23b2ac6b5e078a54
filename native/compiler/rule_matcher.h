// Turns the ordered rules of one system call into a decision graph.
//
// Trying the rules one after the other would test the same word again and again. Instead one word
// is tested at a time, for all rules at once: every interval of its values leaves a shorter list of
// rules, and equal lists are one subgraph. The price is that rules can multiply; where they do, the
// list is cut in two and the second half tried only when the first has failed.
#ifndef SECCOMP_TS_NATIVE_COMPILER_RULE_MATCHER_H_
#define SECCOMP_TS_NATIVE_COMPILER_RULE_MATCHER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "../rules.h"
#include "decision_graph.h"
#include "dispatch.h"
#include "interner.h"
#include "word_conditions.h"

namespace seccomp_ts {

class RuleMatcher {
 public:
  // `growth` says how many times the size of the rules tried in turn a graph may have.
  RuleMatcher(DecisionGraph* graph, size_t growth) : graph_(graph), growth_(growth) {}

  NodeId Match(const SyscallRules& rules);

 private:
  // All tests hold -> `outcome`.
  struct Entry {
    std::vector<TestId> tests;
    NodeId outcome;
  };

  // What may still be spent before the attempt is given up.
  struct Budget {
    size_t tests;  // in the graph
    size_t steps;  // words of rule lists handled
  };

  // What is left to decide, as words: where to go when nothing matches, then the rules, LAST one
  // first, each its outcome, its number of tests and the tests, sorted. Equal lists of rules are
  // equal words.
  class RuleList;

  std::vector<Entry> Lower(const SyscallRules& rules);
  std::vector<Entry> MergeAlternatives(std::vector<Entry> entries);
  Entry MergeStretch(const Entry* entries, size_t count, size_t position);

  NodeId MatchInTurn(const Entry* entries, size_t count, NodeId otherwise);
  NodeId MatchOne(const Entry& entry, NodeId otherwise);
  bool MatchAtOnce(const Entry* entries, size_t count, NodeId otherwise, Budget* budget,
                   NodeId* result);

  bool Decide(const RuleList& list, size_t depth, Budget* budget, NodeId* result);
  bool DecideByOperand(const RuleList& list, Operand operand, size_t depth, Budget* budget,
                       NodeId* result);
  Operand ChooseOperand(const RuleList& list) const;
  std::vector<uint32_t> IntervalStarts(const RuleList& list, Operand operand) const;
  RuleList Restrict(const RuleList& list, Operand operand, uint32_t low, uint32_t high);

  // Only rules in the thousands, or hundreds of different masks, come near it.
  static constexpr size_t kMaxSteps = size_t{1} << 22;

  DecisionGraph* graph_;
  size_t growth_;
  size_t steps_left_ = kMaxSteps;
  WordTestTable tests_;
  Interner lists_;               // of rules still to be decided
  std::vector<NodeId> decided_;  // by list
};

}  // namespace seccomp_ts

#endif  // SECCOMP_TS_NATIVE_COMPILER_RULE_MATCHER_H_
