#include "dispatch.h"

#include <algorithm>
#include <cstddef>

namespace seccomp_ts {
namespace {

// Above this many runs the tree is split in the middle; up to it, the best tree is searched for.
constexpr size_t kWindow = 32;

// What one more test in the program weighs against one more test on the way to a run.
constexpr uint32_t kTestWeight = 2;

// Searches a window of runs for the cheapest tree: the tests on the way to each run, summed over
// the runs, plus kTestWeight a test. Two shapes are tried for every stretch of runs:
//   - cut: one JGE in two, both halves as good as they can be;
//   - peel: where all runs but single values lead to one place, a JEQ for each of those values.
class WindowSearch {
 public:
  WindowSearch(DecisionGraph* graph, Operand operand, const Run* runs, size_t count)
      : graph_(graph), operand_(operand), runs_(runs), count_(count) {
    for (size_t length = 1; length <= count_; length++) {
      for (size_t first = 0; first + length <= count_; first++) {
        plans_[first][first + length - 1] = FindPlan(first, first + length - 1);
      }
    }
  }

  NodeId Build() { return Build(0, count_ - 1); }

 private:
  // Marks a stretch that is peeled; every other `cut` is the first run of the upper half.
  static constexpr uint32_t kPeelAroundFirst = kWindow;
  static constexpr uint32_t kPeelAroundSecond = kWindow + 1;

  struct Plan {
    uint32_t cost;
    uint32_t cut;
  };

  Plan FindPlan(size_t first, size_t last) const {
    if (first == last) return {0, kPeelAroundFirst};
    Plan best = {UINT32_MAX, 0};
    uint32_t here = static_cast<uint32_t>(last - first + 1) + kTestWeight;
    for (size_t cut = first + 1; cut <= last; cut++) {
      uint32_t cost = here + plans_[first][cut - 1].cost + plans_[cut][last].cost;
      if (cost < best.cost) best = {cost, static_cast<uint32_t>(cut)};
    }
    // Neighbours differ, so what is left after peeling is where the first or second run leads.
    for (uint32_t background : {kPeelAroundSecond, kPeelAroundFirst}) {
      uint32_t cost = PeelCost(first, last, BackgroundOf(first, background), best.cost);
      if (cost <= best.cost) best = {cost, background};
    }
    return best;
  }

  NodeId BackgroundOf(size_t first, uint32_t cut) const {
    return runs_[first + (cut - kPeelAroundFirst)].target;
  }

  // UINT32_MAX if it cannot be done, or not below `limit`.
  uint32_t PeelCost(size_t first, size_t last, NodeId background, uint32_t limit) const {
    uint32_t peeled = 0;
    uint32_t cost = 0;
    for (size_t i = first; i <= last; i++) {
      if (runs_[i].target == background) continue;
      if (runs_[i].first != runs_[i].last || cost > limit) return UINT32_MAX;
      cost += ++peeled + kTestWeight;
    }
    return cost + static_cast<uint32_t>(last - first + 1 - peeled) * peeled;
  }

  NodeId Build(size_t first, size_t last) {
    uint32_t cut = plans_[first][last].cut;
    if (cut < kWindow) {
      NodeId upper = Build(cut, last);
      return graph_->AtLeast(operand_, runs_[cut].first, upper, Build(first, cut - 1));
    }
    NodeId background = BackgroundOf(first, cut);
    NodeId node = background;
    for (size_t i = last + 1; i-- > first;) {
      if (runs_[i].target == background) continue;
      node = graph_->Equal(operand_, runs_[i].first, runs_[i].target, node);
    }
    return node;
  }

  DecisionGraph* graph_;
  Operand operand_;
  const Run* runs_;
  size_t count_;
  Plan plans_[kWindow][kWindow];  // by first and last run
};

NodeId Split(DecisionGraph* graph, Operand operand, const Run* runs, size_t count) {
  if (count <= kWindow) return WindowSearch(graph, operand, runs, count).Build();
  size_t middle = count / 2;
  NodeId upper = Split(graph, operand, runs + middle, count - middle);
  NodeId lower = Split(graph, operand, runs, middle);
  return graph->AtLeast(operand, runs[middle].first, upper, lower);
}

}  // namespace

void AppendRun(std::vector<Run>* runs, const Run& run) {
  if (!runs->empty() && runs->back().target == run.target) {
    runs->back().last = run.last;
  } else {
    runs->push_back(run);
  }
}

NodeId BuildDispatch(DecisionGraph* graph, Operand operand, const std::vector<Run>& runs) {
  return Split(graph, operand, runs.data(), runs.size());
}

}  // namespace seccomp_ts
