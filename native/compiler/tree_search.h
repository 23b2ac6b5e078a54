// The search for the cheapest tree of tests over neighbouring runs of values: exact within its
// class of trees, by dynamic programming over the intervals of runs.
//
// A tree is made of three shapes:
//   - cut: one JGE in two, each half as cheap as it can be;
//   - chain: where all runs but a few single values lead to one place, a JEQ for each of those
//     values, the heaviest first;
//   - peel: a JEQ for the heaviest value in front of the tree for all the others.
// It costs the weight of every run times the tests on the way to it, and `test_weight` a test.
#ifndef SECCOMP_TS_NATIVE_COMPILER_TREE_SEARCH_H_
#define SECCOMP_TS_NATIVE_COMPILER_TREE_SEARCH_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "decision_graph.h"
#include "dispatch.h"

namespace seccomp_ts {

// Some 120 KiB, so that searching allocates next to nothing: it is meant for the stack.
class TreeSearch {
 public:
  static constexpr size_t kMaxRuns = 80;
  static constexpr uint32_t kImpossible = uint32_t{1} << 29;
  static constexpr uint32_t kUnbounded = 2 * kMaxRuns;

  // Takes time in proportion to the third power of `count`, which is at most kMaxRuns. The weights
  // and `test_weight`, summed over the runs and multiplied by the height of the tree, must stay
  // below kImpossible.
  TreeSearch(const Run* runs, size_t count, uint32_t test_weight);

  // What the cheapest tree costs, and the tests on its longest way.
  uint32_t Cost() const { return plans_[0].cost[Index(0, count_ - 1)]; }
  uint32_t Height() { return HeightOf(Everything()); }

  // What the cheapest tree costs that has at most so many tests on any way; kImpossible or more if
  // there is none.
  uint32_t CostWithin(uint32_t height) { return CostWithin(Everything(), height); }

  // The tree: the cheapest, or the cheapest within a possible height.
  NodeId Build(DecisionGraph* graph, Operand operand, uint32_t height = kUnbounded);

 private:
  // Where a chain may lead: one of the first runs' targets.
  static constexpr size_t kBackgrounds = 3;
  static constexpr size_t kMaxChain = 8;
  static constexpr uint32_t kMaxHeight = kMaxRuns;
  static constexpr uint8_t kUnknownHeight = UINT8_MAX;
  static constexpr size_t kHeights = 9;  // that reaches are known of

  // What is still to be told apart: the runs first..last, and whether the heaviest value among them
  // has been peeled already.
  struct Part {
    size_t first;
    size_t last;
    bool peeled;
  };

  // The cheapest trees of all intervals without a bound on their height.
  struct Plans {
    uint32_t cost[kMaxRuns * kMaxRuns];        // by first and last run
    uint32_t transposed[kMaxRuns * kMaxRuns];  // the same, by last and first run
    uint8_t height[kMaxRuns * kMaxRuns];       // by first and last run, where known
  };

  struct Chain {
    NodeId background;
    uint32_t cost;
    size_t length;
    size_t tested[kMaxChain];  // runs, the heaviest first
  };

  // The cost of a part within a height.
  struct Known {
    uint32_t key;  // 0: a free slot
    uint32_t cost;
  };

  // The trees whose root is a cut.
  struct Cuts {
    const uint32_t* lower;  // what they cost below the cut, by the last run there
    const uint32_t* upper;  // and above it, by the first run there
    bool lower_peeled;
    bool upper_peeled;
    size_t from;
    size_t to;
  };

  // The root of a tree.
  struct Shape {
    enum class Kind { kRun, kRest, kChain, kCut, kPeel };

    Kind kind;
    Part lower;  // kCut: below the cut; kRest, kPeel: what is left
    Part upper;  // kCut
  };

  size_t Index(size_t row, size_t column) const { return row * count_ + column; }
  size_t Index(Part part) const { return Index(part.first, part.last); }

  Part Everything() const { return {0, count_ - 1, false}; }
  static Part Peel(Part part) { return {part.first, part.last, true}; }
  size_t Heaviest(Part part) const { return heaviest_[Index(part)]; }
  uint32_t WeightOf(Part part) const;
  uint32_t OwnCost(Part part) const;
  bool IsWorthPeeling(Part part) const;
  bool IsGone(Part part, size_t run) const;
  bool LosesEnd(Part part, Part* rest) const;
  size_t ListCuts(Part part, Cuts (&lists)[2]) const;
  static uint32_t CheapestCut(const Cuts& cuts);

  void FindHeaviest();
  void FindChainEnds();
  void FindReaches();
  size_t ChainReach(size_t first, size_t which, size_t tests) const;
  void Plan(Part part);
  uint32_t FindBest(Part part);
  bool FindChain(Part part, size_t which, uint32_t limit);

  uint32_t HeightOf(Part part);
  uint32_t CostWithin(Part part, uint32_t height);
  bool IsWithinReach(Part part, uint32_t height) const;
  uint32_t SearchWithin(Part part, uint32_t height);
  Known* FindKnown(uint32_t key);
  void GrowKnown();

  Shape FindShape(Part part, uint32_t height);
  NodeId Build(Part part, uint32_t height);
  NodeId BuildChain();

  const Run* runs_;
  size_t count_;
  uint32_t test_weight_;
  uint32_t weights_[kMaxRuns + 1];              // of the runs before each
  uint8_t heaviest_[kMaxRuns * kMaxRuns];       // by first and last run
  uint8_t chain_ends_[kMaxRuns][kBackgrounds];  // by first run: the first run out of reach
  uint8_t reaches_[kHeights][kMaxRuns + 1];     // by height and first run: likewise
  Plans plans_[2];                              // by Part::peeled
  Chain chain_;                                 // the one that FindChain found
  std::vector<Known> known_;                    // a hash table; the size is a power of two
  size_t known_count_ = 0;

  DecisionGraph* graph_ = nullptr;
  Operand operand_ = kNumberOperand;
};

}  // namespace seccomp_ts

#endif  // SECCOMP_TS_NATIVE_COMPILER_TREE_SEARCH_H_
