#include "../compiler/tree_search.h"

#include <algorithm>
#include <vector>

#include "../compiler/call_frequency.h"
#include "../compiler/dispatch.h"
#include "check.h"
#include "rules_builder.h"

namespace seccomp_ts {
namespace {

constexpr uint32_t kTestWeight = 3;
constexpr uint32_t kImpossible = TreeSearch::kImpossible;

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15 + 1) {}

  uint32_t Below(uint32_t bound) {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return static_cast<uint32_t>((state_ >> 20) % bound);
  }

 private:
  uint64_t state_;
};

// Neighbouring runs that lead to one of three places, half of them of one value, and some with a
// value that is heavy.
std::vector<Run> MakeRuns(DecisionGraph* graph, Random* random, size_t count, bool peaks) {
  std::vector<Run> runs;
  uint32_t next = 0;
  uint32_t target = 0;
  while (runs.size() < count) {
    target = (target + 1 + random->Below(2)) % 3;
    Run run = {next, next + random->Below(2) * random->Below(9), graph->Return(Errno(target))};
    next = run.last + 1;
    run.weight = 1 + random->Below(30);
    if (peaks && random->Below(3) == 0) {
      run.peak = run.first + random->Below(run.last - run.first + 1);
      run.peak_weight = random->Below(4) == 0 ? 500 : random->Below(20);
      run.weight += run.peak_weight;
    }
    runs.push_back(run);
  }
  return runs;
}

// The cheapest tree of cuts and chains, found by trying all of them.
uint32_t TryAll(const std::vector<Run>& runs, size_t first, size_t last, uint32_t height) {
  if (first == last) return 0;
  if (height == 0) return kImpossible;
  uint32_t weight = 0;
  for (size_t i = first; i <= last; i++) weight += runs[i].weight;
  uint32_t best = kImpossible;
  for (size_t cut = first + 1; cut <= last; cut++) {
    uint32_t cost = weight + kTestWeight + TryAll(runs, first, cut - 1, height - 1) +
                    TryAll(runs, cut, last, height - 1);
    best = std::min(best, cost);
  }
  for (NodeId background : {runs[first].target, runs[first + 1].target}) {
    std::vector<uint32_t> tested;
    bool possible = true;
    for (size_t i = first; i <= last; i++) {
      if (runs[i].target == background) continue;
      possible = possible && runs[i].first == runs[i].last;
      tested.push_back(runs[i].weight);
    }
    if (!possible || tested.size() > height) continue;
    std::sort(tested.rbegin(), tested.rend());
    uint32_t cost = 0;
    uint32_t rest = weight;
    for (uint32_t each : tested) {
      cost += rest + kTestWeight;
      rest -= each;
    }
    best = std::min(best, cost);
  }
  return std::min(best, kImpossible);
}

struct Walk {
  NodeId target;
  uint32_t tests;
};

Walk Follow(const DecisionGraph& graph, NodeId node, uint32_t value) {
  Walk walk = {node, 0};
  for (; !graph[walk.target].IsReturn(); walk.tests++) {
    const Node& test = graph[walk.target];
    bool holds = test.kind == Node::Kind::kEqual ? value == test.value : value >= test.value;
    walk.target = holds ? test.then : test.otherwise;
  }
  return walk;
}

// What the tree costs by its own account: a run's weight on the way of its values, its peak's on
// the way of the peak. The tests are those of a graph that holds nothing else.
uint32_t CostOfTree(const DecisionGraph& graph, NodeId root, const std::vector<Run>& runs,
                    size_t tests) {
  uint32_t cost = static_cast<uint32_t>(tests) * kTestWeight;
  for (const Run& run : runs) {
    uint32_t other = run.peak_weight != 0 && run.peak == run.first ? run.last : run.first;
    cost += (run.weight - run.peak_weight) * Follow(graph, root, other).tests;
    if (run.peak_weight != 0) cost += run.peak_weight * Follow(graph, root, run.peak).tests;
  }
  return cost;
}

// Checks a tree against the runs, and returns its longest way.
uint32_t CheckTree(const DecisionGraph& graph, NodeId root, const std::vector<Run>& runs) {
  uint32_t longest = 0;
  for (const Run& run : runs) {
    for (uint32_t value = run.first; value <= run.last; value++) {
      Walk walk = Follow(graph, root, value);
      CHECK_EQ(walk.target, run.target);
      longest = std::max(longest, walk.tests);
    }
  }
  return longest;
}

TEST(TheCheapestTreeIsFound) {
  for (uint64_t seed = 1; seed <= 300; seed++) {
    Random random(seed);
    DecisionGraph graph;
    std::vector<Run> runs = MakeRuns(&graph, &random, 1 + random.Below(7), false);
    TreeSearch search(runs.data(), runs.size(), kTestWeight);
    CHECK_EQ(search.Cost(), TryAll(runs, 0, runs.size() - 1, 99));
    for (uint32_t height = 0; height < 6; height++) {
      CHECK_EQ(search.CostWithin(height), TryAll(runs, 0, runs.size() - 1, height));
    }
  }
}

TEST(TheTreeCostsWhatTheSearchSays) {
  for (uint64_t seed = 1; seed <= 400; seed++) {
    Random random(seed);
    DecisionGraph graph;
    std::vector<Run> runs = MakeRuns(&graph, &random, 1 + random.Below(40), true);
    TreeSearch search(runs.data(), runs.size(), kTestWeight);
    for (uint32_t height = 1; height <= search.Height(); height++) {
      uint32_t cost = search.CostWithin(height);
      if (cost == kImpossible) continue;
      DecisionGraph tree = graph;
      size_t before = tree.size();
      NodeId root = search.Build(&tree, kNumberOperand, height);
      CHECK(CheckTree(tree, root, runs) <= height);
      // A run of one value that is peeled may leave two equal tests behind, which are one node.
      CHECK(CostOfTree(tree, root, runs, tree.size() - before) <= cost);
    }
  }
}

TEST(PeelingIsTriedAndNeverCosts) {
  size_t helped = 0;
  for (uint64_t seed = 1; seed <= 200; seed++) {
    Random random(seed);
    DecisionGraph graph;
    std::vector<Run> runs = MakeRuns(&graph, &random, 2 + random.Below(6), true);
    uint32_t without = TryAll(runs, 0, runs.size() - 1, 99);
    uint32_t with = TreeSearch(runs.data(), runs.size(), kTestWeight).Cost();
    CHECK(with <= without);
    helped += with < without ? 1 : 0;
  }
  CHECK(helped > 10);
}

TEST(ALimitChangesNothingBelowIt) {
  for (uint64_t seed = 1; seed <= 100; seed++) {
    Random random(seed);
    DecisionGraph graph;
    std::vector<Run> runs = MakeRuns(&graph, &random, 20 + random.Below(20), true);
    TreeSearch exact(runs.data(), runs.size(), kTestWeight);
    TreeSearch limited(runs.data(), runs.size(), kTestWeight);
    for (uint32_t height = 8; height > 3; height--) {
      uint32_t cost = exact.CostWithin(height);
      if (cost == kImpossible) continue;
      // In this order, because what an earlier limit cut off must not be taken for the answer.
      for (uint32_t limit : {cost / 2, cost, cost + 1}) {
        CHECK_EQ(limited.CostWithin(height, limit), std::min(cost, limit));
      }
    }
  }
}

// ---- numbers

TEST(FrequenciesAreSorted) {
  for (uint32_t arch : {kX64, kArm64}) {
    CallFrequencies frequencies = FrequenciesOf(arch);
    CHECK(frequencies.end - frequencies.begin > 30);
    uint32_t sum = frequencies.begin->calls;
    for (const CallFrequency* each = frequencies.begin + 1; each != frequencies.end; each++) {
      CHECK(each[-1].number < each->number);
      sum += each->calls;
    }
    CHECK(sum > 9000 && sum < 12000);
  }
  CHECK(FrequenciesOf(AUDIT_ARCH_I386).begin == FrequenciesOf(AUDIT_ARCH_I386).end);
}

TEST(RunsAreWeighedByTheirCalls) {
  DecisionGraph graph;
  NodeId allow = graph.Return(kAllow);
  NodeId deny = graph.Return(kKill);
  NodeId check = graph.Equal({LowWord(0), kAllBits}, 1, allow, deny);
  std::vector<Run> runs = {{0, 1, allow}, {2, 4, deny}, {5, 231, allow}, {232, 232, check}};
  WeighRuns(graph, kX64, &runs);
  CHECK_EQ(runs[0].peak, 0u);  // read
  CHECK_EQ(runs[0].weight, 20u + 2000 + 1500);
  CHECK_EQ(runs[0].peak_weight, 2000u);
  // What is always denied is not called often, whatever it is.
  CHECK_EQ(runs[1].weight, 40u);
  CHECK_EQ(runs[1].peak_weight, 0u);
  CHECK_EQ(runs[2].peak, 202u);  // futex
  // What is not always allowed counts double, because the kernel runs the program for it.
  CHECK_EQ(runs[3].weight, 2u * (20 + 2000));
}

TEST(FrequentCallsComeFirstAndNoneComesLate) {
  DecisionGraph graph;
  NodeId allow = graph.Return(kAllow);
  NodeId deny = graph.Return(Errno(1));
  // Every third number is allowed up to 180, then epoll_wait.
  std::vector<Run> runs;
  for (uint32_t number = 0; number < 180; number += 3) {
    AppendRun(&runs, {number, number, allow});
    AppendRun(&runs, {number + 1, number + 2, deny});
  }
  AppendRun(&runs, {180, 231, deny});
  AppendRun(&runs, {232, 232, allow});
  AppendRun(&runs, {233, UINT32_MAX, deny});
  WeighRuns(graph, kX64, &runs);
  NodeId root = BuildNumberDispatch(&graph, runs);
  CHECK(Follow(graph, root, 232).tests <= 2);
  uint32_t longest = 0;
  for (uint32_t number = 0; number < 300; number++) {
    Walk walk = Follow(graph, root, number);
    CHECK_EQ(walk.target, (number < 180 && number % 3 == 0) || number == 232 ? allow : deny);
    longest = std::max(longest, walk.tests);
  }
  // 123 runs need seven.
  CHECK(longest <= 9);
}

}  // namespace
}  // namespace seccomp_ts
