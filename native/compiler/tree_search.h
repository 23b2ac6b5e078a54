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
  static constexpr uint32_t kImpossible = uint32_t{1} << 24;
  static constexpr uint32_t kUnbounded = 2 * kMaxRuns;

  // Takes time in proportion to the third power of `count`, which is at most kMaxRuns. The weights
  // and `test_weight`, summed over the runs and multiplied by the height of the tree, must stay
  // below 2^24.
  TreeSearch(const Run* runs, size_t count, uint32_t test_weight);

  // What the cheapest tree costs, and the tests on its longest way.
  uint32_t Cost() const { return plans_[0].cost[Index(0, count_ - 1)]; }
  uint32_t Height() const { return plans_[0].height[Index(0, count_ - 1)]; }

  // What the cheapest tree costs that has at most so many tests on any way; `limit` if that is not
  // less, or there is none.
  uint32_t CostWithin(uint32_t height, uint32_t limit = kImpossible) {
    return CostWithin(Everything(), height, limit);
  }

  // The tree: the cheapest, or the cheapest within a possible height.
  NodeId Build(DecisionGraph* graph, Operand operand, uint32_t height = kUnbounded);

 private:
  // Where a chain may lead: one of the first runs' targets.
  static constexpr size_t kBackgrounds = 3;
  static constexpr size_t kLanes = 4;  // that are read at once, perhaps beyond the end
  static constexpr uint32_t kCutBits = 7;
  static constexpr int32_t kNoCut = INT32_MAX;
  static constexpr size_t kMaxChain = 4;
  static constexpr size_t kHeights = 9;  // that reaches are known of

  // What is still to be told apart: the runs first..last, and whether the heaviest value among them
  // has been peeled already.
  struct Part {
    uint16_t first;
    uint16_t last;
    bool peeled;
  };

  static Part MakePart(size_t first, size_t last, bool peeled) {
    return {static_cast<uint16_t>(first), static_cast<uint16_t>(last), peeled};
  }

  struct Best {
    uint32_t cost;
    uint32_t height;
  };

  // The cheapest trees of all intervals without a bound on their height.
  struct Plans {
    uint32_t cost[kMaxRuns * kMaxRuns + kLanes];        // by first and last run
    uint32_t transposed[kMaxRuns * kMaxRuns + kLanes];  // the same, by last and first run
    uint8_t height[kMaxRuns * kMaxRuns];                // by first and last run
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
    bool is_exact;  // else it costs that or more
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

  Part Everything() const { return MakePart(0, count_ - 1, false); }
  static Part Peel(Part part) { return {part.first, part.last, true}; }
  size_t Heaviest(Part part) const { return heaviest_[Index(part)]; }

  uint32_t WeightOf(Part part) const {
    uint32_t weight = weights_[part.last + 1] - weights_[part.first];
    if (!part.peeled) return weight;
    const Run& heaviest = runs_[Heaviest(part)];
    return weight - (heaviest.first == heaviest.last ? heaviest.weight : heaviest.peak_weight);
  }

  // Of a test that all values of the part pass.
  uint32_t OwnCost(Part part) const { return WeightOf(part) + test_weight_; }

  // Peeling is tried where the heaviest value has at least half of the weight: below that, a test
  // in front of everything else does not pay. What holds for an interval holds for each part of it
  // that has the value.
  bool IsWorthPeeling(Part part) const {
    if (!has_peaks_ || part.peeled) return false;
    uint32_t peak = runs_[Heaviest(part)].peak_weight;
    return peak != 0 && peak * 2 >= WeightOf(part);
  }

  // Nothing is left of a run whose only value was peeled.
  bool IsGone(Part part, size_t run) const {
    return part.peeled && run == Heaviest(part) && runs_[run].first == runs_[run].last;
  }

  // At the end of an interval the run that is gone leaves a shorter interval.
  bool LosesEnd(Part part, Part* rest) const {
    if (!part.peeled) return false;
    if (IsGone(part, part.first)) {
      *rest = MakePart(part.first + 1u, part.last, false);
      return true;
    }
    if (IsGone(part, part.last)) {
      *rest = MakePart(part.first, part.last - 1u, false);
      return true;
    }
    return false;
  }

  // Whatever was peeled lies below the cut or above it.
  size_t ListCuts(Part part, Cuts (&lists)[2]) const {
    auto list = [this, part](bool lower_peeled, bool upper_peeled, size_t from, size_t to) {
      return Cuts{&plans_[lower_peeled].cost[Index(part.first, 0)],
                  &plans_[upper_peeled].transposed[Index(part.last, 0)],
                  lower_peeled,
                  upper_peeled,
                  from,
                  to};
    };
    if (!part.peeled) {
      lists[0] = list(false, false, part.first + 1u, part.last);
      return 1;
    }
    size_t heaviest = Heaviest(part);
    lists[0] = list(false, true, part.first + 1u, heaviest);
    lists[1] = list(true, false, heaviest + 1, part.last);
    return 2;
  }

  // In a chain at least every second run is tested.
  static bool MayBeChain(Part part) { return size_t{part.last} - part.first <= 2 * kMaxChain + 1; }

  static int32_t CheapestCut(const Cuts& cuts);
  static uint32_t CostOf(int32_t cut) { return static_cast<uint32_t>(cut) >> kCutBits; }
  static size_t CutOf(int32_t cut) { return static_cast<size_t>(cut) & ((1u << kCutBits) - 1); }

  void FindHeaviest();
  void FindChainEnds();
  void FindReaches();
  size_t ChainReach(size_t first, size_t which, size_t tests) const;
  void Plan(Part part);
  Best FindBest(Part part);
  Best FindBestCut(Part part) const;
  bool FindChain(Part part, size_t which, uint32_t limit);

  uint32_t CostWithin(Part part, uint32_t height, uint32_t limit);
  void KeepWithinReach(Part part, uint32_t height, Cuts* cuts) const;
  bool IsWithinReach(Part part, uint32_t height) const;
  uint32_t SearchWithin(Part part, uint32_t height, uint32_t limit);
  uint32_t CutWithin(Part part, const Cuts& cuts, size_t cut, uint32_t height, uint32_t limit);
  Known* FindKnown(uint32_t key);
  void GrowKnown();

  Shape FindShape(Part part, uint32_t height);
  NodeId Build(Part part, uint32_t height);
  NodeId BuildChain();

  const Run* runs_;
  size_t count_;
  uint32_t test_weight_;
  bool has_peaks_ = false;
  bool has_reaches_ = false;
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
