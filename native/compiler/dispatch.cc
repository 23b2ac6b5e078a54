#include "dispatch.h"

#include <linux/seccomp.h>

#include <algorithm>
#include <cstddef>

#include "call_frequency.h"
#include "tree_search.h"

namespace seccomp_ts {
namespace {

// Above so many runs the tree is split in the middle; up to it, the best tree is searched for.
constexpr size_t kWordWindow = 16;
constexpr size_t kNumberWindow = TreeSearch::kMaxRuns;

// What one more test in the program weighs, where every run of argument words weighs 1.
constexpr uint32_t kWordTestWeight = 2;

// What a run of numbers weighs beside its calls, which are counted by 10,000: rare calls are made
// too, and the profile is not everybody's.
constexpr uint32_t kRunWeight = 20;

// What one more test in the program weighs against one more test on the way of so many calls in
// 10,000.
constexpr uint32_t kNumberTestWeight = 40;

// Calls that are always allowed do not reach the program on Linux 5.11 and later, which keeps a
// bitmap of them; those that do reach it on every kernel count for more.
constexpr uint32_t kUncachedFactor = 2;

// How many more tests than there have to be the longest way may have, and what share of a test on
// the way of all calls together each of them must save.
constexpr uint32_t kExtraHeight = 2;
constexpr uint32_t kHeightPricePercent = 17;

bool IsCached(const Node& target) { return target.IsReturn() && target.value == SECCOMP_RET_ALLOW; }

// What a program is always denied it does not go on calling.
bool IsDenied(const Node& target) {
  if (!target.IsReturn()) return false;
  uint32_t action = target.value & SECCOMP_RET_ACTION_FULL;
  return action == SECCOMP_RET_ERRNO || action == SECCOMP_RET_TRAP ||
         action == SECCOMP_RET_KILL_THREAD || action == SECCOMP_RET_KILL_PROCESS;
}

// The tests on the longest way if every test cuts the runs in half.
uint32_t BalancedHeight(size_t runs) {
  uint32_t height = 0;
  while ((size_t{1} << height) < runs) height++;
  return height;
}

// Between the lowest tree and the cheapest: the height from which on no level is worth its price.
uint32_t ChooseHeight(TreeSearch* search, const Run* runs, size_t count) {
  uint64_t weight = 0;
  for (size_t i = 0; i < count; i++) weight += runs[i].weight;
  uint32_t price = static_cast<uint32_t>(weight * kHeightPricePercent / 100);
  uint32_t height = std::min(search->Height(), BalancedHeight(count) + kExtraHeight);
  uint32_t cost = search->CostWithin(height);
  while (height > 0) {
    uint32_t lower_cost = search->CostWithin(height - 1, cost + price);
    if (lower_cost == cost + price) break;
    height--;
    cost = lower_cost;
  }
  return height;
}

// Not inline, so that a search lies on the stack once and not in each frame of the recursion.
__attribute__((noinline)) NodeId SearchWords(DecisionGraph* graph, Operand operand, const Run* runs,
                                             size_t count) {
  TreeSearch search(runs, count, kWordTestWeight);
  return search.Build(graph, operand);
}

__attribute__((noinline)) NodeId SearchNumbers(DecisionGraph* graph, Operand operand,
                                               const Run* runs, size_t count) {
  TreeSearch search(runs, count, kNumberTestWeight);
  return search.Build(graph, operand, ChooseHeight(&search, runs, count));
}

using Search = NodeId (*)(DecisionGraph*, Operand, const Run*, size_t);

NodeId Split(DecisionGraph* graph, Operand operand, const Run* runs, size_t count, size_t window,
             Search search) {
  if (count <= window) return search(graph, operand, runs, count);
  size_t middle = count / 2;
  NodeId upper = Split(graph, operand, runs + middle, count - middle, window, search);
  NodeId lower = Split(graph, operand, runs, middle, window, search);
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
  return Split(graph, operand, runs.data(), runs.size(), kWordWindow, SearchWords);
}

void WeighRuns(const DecisionGraph& graph, uint32_t audit_arch, std::vector<Run>* runs) {
  CallFrequencies frequencies = FrequenciesOf(audit_arch);
  const CallFrequency* next = frequencies.begin;
  for (Run& run : *runs) {
    const Node& target = graph[run.target];
    uint32_t factor = IsCached(target) ? 1 : kUncachedFactor;
    run.weight = kRunWeight * factor;
    for (; next != frequencies.end && next->number <= run.last; next++) {
      if (IsDenied(target)) continue;
      uint32_t weight = next->calls * factor;
      run.weight += weight;
      if (weight > run.peak_weight) {
        run.peak = next->number;
        run.peak_weight = weight;
      }
    }
  }
}

NodeId BuildNumberDispatch(DecisionGraph* graph, const std::vector<Run>& runs) {
  return Split(graph, kNumberOperand, runs.data(), runs.size(), kNumberWindow, SearchNumbers);
}

}  // namespace seccomp_ts
