#include "tree_search.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace seccomp_ts {
TreeSearch::TreeSearch(const Run* runs, size_t count, uint32_t test_weight)
    : runs_(runs), count_(count), test_weight_(test_weight) {
  weights_[0] = 0;
  for (size_t i = 0; i < count_; i++) {
    weights_[i + 1] = weights_[i] + runs_[i].weight;
    has_peaks_ = has_peaks_ || runs_[i].peak_weight != 0;
  }
  if (has_peaks_) FindHeaviest();
  FindChainEnds();
  for (size_t length = 1; length <= count_; length++) {
    for (size_t first = 0; first + length <= count_; first++) {
      Part part = MakePart(first, first + length - 1, false);
      // First the rest that peeling leaves, which the tree that peels looks at.
      if (IsWorthPeeling(part)) Plan(Peel(part));
      Plan(part);
    }
  }
}

void TreeSearch::FindHeaviest() {
  for (size_t first = 0; first < count_; first++) {
    size_t heaviest = first;
    for (size_t last = first; last < count_; last++) {
      if (runs_[last].peak_weight > runs_[heaviest].peak_weight) heaviest = last;
      heaviest_[Index(first, last)] = static_cast<uint8_t>(heaviest);
    }
  }
}

// A chain reaches up to the first run of several values that does not lead to its background.
void TreeSearch::FindChainEnds() {
  for (size_t first = 0; first < count_; first++) {
    for (size_t i = 0; i < kBackgrounds && first + i < count_; i++) {
      NodeId background = runs_[first + i].target;
      size_t end = first;
      while (end < count_ &&
             (runs_[end].target == background || runs_[end].first == runs_[end].last)) {
        end++;
      }
      chain_ends_[first][i] = static_cast<uint8_t>(end);
    }
  }
}

// A cut of two trees that are lower by one reaches as far as the second of them, and a chain as far
// as it may have tests.
void TreeSearch::FindReaches() {
  has_reaches_ = true;
  for (size_t first = 0; first <= count_; first++) reaches_[0][first] = std::min(first + 1, count_);
  for (size_t height = 1; height < kHeights; height++) {
    const uint8_t* lower = reaches_[height - 1];
    for (size_t first = 0; first < count_; first++) {
      size_t end = lower[lower[first]];
      for (size_t which = 0; which < 2 && first + which < count_; which++) {
        end = std::max(end, ChainReach(first, which, height));
      }
      reaches_[height][first] = static_cast<uint8_t>(end);
    }
    reaches_[height][count_] = static_cast<uint8_t>(count_);
  }
}

size_t TreeSearch::ChainReach(size_t first, size_t which, size_t tests) const {
  NodeId background = runs_[first + which].target;
  size_t end = first;
  for (; end < chain_ends_[first][which]; end++) {
    if (runs_[end].target == background) continue;
    if (tests == 0) break;
    tests--;
  }
  return end;
}

// The least sum of both sides' costs, and the first cut that has it in the lowest bits. Most of the
// time goes here: hence four cuts at a time, and no branch that must be guessed. What is read
// beyond the last cut does not count.
inline int32_t TreeSearch::CheapestCut(const Cuts& cuts) {
  using Lanes = int32_t __attribute__((vector_size(4 * kLanes)));
  using Costs = uint32_t __attribute__((vector_size(4 * kLanes)));
  int32_t cut = static_cast<int32_t>(cuts.from);
  int32_t last = static_cast<int32_t>(cuts.to);
  Lanes least = {kNoCut, kNoCut, kNoCut, kNoCut};
  for (Lanes at = {cut, cut + 1, cut + 2, cut + 3}; cut <= last; cut += 4, at += 4) {
    Costs lower;
    Costs upper;
    memcpy(&lower, cuts.lower + cut - 1, sizeof(Costs));
    memcpy(&upper, cuts.upper + cut, sizeof(Costs));
    Lanes costs = reinterpret_cast<Lanes>((lower + upper) << kCutBits) | at;
    least = ((costs < least) & (at <= last)) ? costs : least;
  }
  int32_t even = least[0] < least[2] ? least[0] : least[2];
  int32_t odd = least[1] < least[3] ? least[1] : least[3];
  return even < odd ? even : odd;
}

void TreeSearch::Plan(Part part) {
  Best best = FindBest(part);
  Plans& plans = plans_[part.peeled];
  plans.cost[Index(part)] = best.cost;
  plans.transposed[Index(part.last, part.first)] = best.cost;
  plans.height[Index(part)] = static_cast<uint8_t>(best.height);
}

TreeSearch::Best TreeSearch::FindBest(Part part) {
  Part rest;
  if (part.first == part.last) return {0, 0};
  if (LosesEnd(part, &rest)) return {plans_[0].cost[Index(rest)], plans_[0].height[Index(rest)]};
  Best best = FindBestCut(part);
  if (IsWorthPeeling(part)) {
    uint32_t cost = OwnCost(part) + plans_[1].cost[Index(part)];
    if (cost < best.cost) best = {cost, 1u + plans_[1].height[Index(part)]};
  }
  if (!MayBeChain(part)) return best;
  for (size_t which = 0; which < kBackgrounds; which++) {
    if (FindChain(part, which, best.cost)) {
      best = {chain_.cost, static_cast<uint32_t>(chain_.length)};
    }
  }
  return best;
}

TreeSearch::Best TreeSearch::FindBestCut(Part part) const {
  Cuts lists[2];
  size_t list = 0;
  int32_t least = kNoCut;
  for (size_t i = 0, count = ListCuts(part, lists); i < count; i++) {
    int32_t cheapest = CheapestCut(lists[i]);
    if (cheapest >= least) continue;
    least = cheapest;
    list = i;
  }
  size_t cut = CutOf(least);
  uint32_t lower = plans_[lists[list].lower_peeled].height[Index(part.first, cut - 1)];
  uint32_t upper = plans_[lists[list].upper_peeled].height[Index(cut, part.last)];
  return {OwnCost(part) + CostOf(least), 1 + std::max(lower, upper)};
}

// Neighbours differ, so what is left when a chain is through is where the first or the second run
// leads, or the third if the second is gone. False if that makes no chain, or none that costs
// `limit` or less.
bool TreeSearch::FindChain(Part part, size_t which, uint32_t limit) {
  size_t run = part.first + which;
  if (run > part.last || chain_ends_[part.first][which] <= part.last) return false;
  if (!MayBeChain(part)) return false;
  if (which == 2 && !IsGone(part, run - 1)) return false;
  chain_.background = runs_[run].target;
  chain_.length = 0;
  uint32_t past = 0;  // the weight that lies behind all tests
  for (size_t i = part.first; i <= part.last; i++) {
    if (IsGone(part, i)) continue;
    if (runs_[i].target == chain_.background) {
      past += runs_[i].weight;
      if (part.peeled && i == Heaviest(part)) past -= runs_[i].peak_weight;
      continue;
    }
    if (chain_.length == kMaxChain) return false;
    // Heaviest first, and of equals the first.
    size_t at = chain_.length++;
    for (; at > 0 && runs_[i].weight > runs_[chain_.tested[at - 1]].weight; at--) {
      chain_.tested[at] = chain_.tested[at - 1];
    }
    chain_.tested[at] = i;
    // The least that it costs, which soon is too much for many.
    if (chain_.length * (test_weight_ + past) > limit) return false;
  }
  uint32_t rest = WeightOf(part);
  chain_.cost = 0;
  for (size_t i = 0; i < chain_.length; i++) {
    chain_.cost += rest + test_weight_;
    rest -= runs_[chain_.tested[i]].weight;
  }
  return chain_.cost <= limit;
}

// `limit` if it is not less: the search for it then ends early.
uint32_t TreeSearch::CostWithin(Part part, uint32_t height, uint32_t limit) {
  const Plans& plans = plans_[part.peeled];
  // A bound makes nothing cheaper.
  uint32_t unbounded = plans.cost[Index(part)];
  if (unbounded >= limit || plans.height[Index(part)] <= height) return std::min(unbounded, limit);
  if (!has_reaches_) FindReaches();
  if (height == 0 || !IsWithinReach(part, height)) return limit;

  uint32_t key = static_cast<uint32_t>((height << 1 | part.peeled) << 16 | Index(part)) + 1;
  if (known_count_ * 2 >= known_.size()) GrowKnown();
  Known* known = FindKnown(key);
  if (known->key == 0) {
    known_count_++;
  } else if (known->is_exact || known->cost >= limit) {
    return std::min(known->cost, limit);
  }
  known->key = key;
  uint32_t cost = SearchWithin(part, height, limit);
  // The search may have moved the table.
  *FindKnown(key) = {key, cost, cost < limit};
  return cost;
}

// Whether there is a tree of that height. True in doubt: a run that is gone takes its neighbours
// together.
bool TreeSearch::IsWithinReach(Part part, uint32_t height) const {
  if (height >= kHeights) return true;
  if (!part.peeled || !IsGone(part, Heaviest(part))) {
    return reaches_[height][part.first] > part.last;
  }
  size_t runs = size_t{part.last} - part.first;  // one is gone
  return runs <= size_t{3} << (height - 1);
}

// Leaves out the cuts with a side that no tree of that height can tell apart.
void TreeSearch::KeepWithinReach(Part part, uint32_t height, Cuts* cuts) const {
  if (height >= kHeights) return;
  const uint8_t* reaches = reaches_[height];
  if (!cuts->lower_peeled) cuts->to = std::min<size_t>(cuts->to, reaches[part.first]);
  if (!cuts->upper_peeled) {
    while (cuts->from <= cuts->to && reaches[cuts->from] <= part.last) cuts->from++;
  }
}

TreeSearch::Known* TreeSearch::FindKnown(uint32_t key) {
  size_t slot = key * 0x9e3779b1u >> 7 & (known_.size() - 1);
  while (known_[slot].key != 0 && known_[slot].key != key) slot = (slot + 1) & (known_.size() - 1);
  return &known_[slot];
}

void TreeSearch::GrowKnown() {
  std::vector<Known> old(known_.empty() ? 1024 : known_.size() * 4, Known{0, 0, false});
  old.swap(known_);
  for (const Known& known : old) {
    if (known.key != 0) *FindKnown(known.key) = known;
  }
}

uint32_t TreeSearch::SearchWithin(Part part, uint32_t height, uint32_t limit) {
  Part rest;
  if (LosesEnd(part, &rest)) return CostWithin(rest, height, limit);
  uint32_t best = limit;
  for (size_t which = 0; which < kBackgrounds; which++) {
    if (FindChain(part, which, best) && chain_.length <= height) best = chain_.cost;
  }
  uint32_t own = OwnCost(part);
  if (own < best && IsWorthPeeling(part)) {
    best = own + CostWithin(Peel(part), height - 1, best - own);
  }
  Cuts lists[2];
  for (size_t i = 0, count = ListCuts(part, lists); i < count; i++) {
    KeepWithinReach(part, height - 1, &lists[i]);
    // The one that is cheapest without a bound first.
    int32_t least = CheapestCut(lists[i]);
    if (least == kNoCut) continue;
    best = CutWithin(part, lists[i], CutOf(least), height, best);
    for (size_t cut = lists[i].from; cut <= lists[i].to && own + CostOf(least) < best; cut++) {
      if (cut != CutOf(least)) best = CutWithin(part, lists[i], cut, height, best);
    }
  }
  return best;
}

// What the tree costs whose root is that cut; `limit` if it is not less.
uint32_t TreeSearch::CutWithin(Part part, const Cuts& cuts, size_t cut, uint32_t height,
                               uint32_t limit) {
  uint32_t own = OwnCost(part);
  uint32_t upper_at_least = cuts.upper[cut];
  if (own + cuts.lower[cut - 1] + upper_at_least >= limit) return limit;
  Part lower = MakePart(part.first, cut - 1, cuts.lower_peeled);
  uint32_t cost = own + CostWithin(lower, height - 1, limit - own - upper_at_least);
  if (cost + upper_at_least >= limit) return limit;
  Part upper = MakePart(cut, part.last, cuts.upper_peeled);
  return cost + CostWithin(upper, height - 1, limit - cost);
}

// The shape at the root of a tree that has the known cost.
TreeSearch::Shape TreeSearch::FindShape(Part part, uint32_t height) {
  Part rest;
  if (part.first == part.last) return {Shape::Kind::kRun, part, part};
  if (LosesEnd(part, &rest)) return {Shape::Kind::kRest, rest, rest};
  uint32_t cost = CostWithin(part, height, kImpossible);
  for (size_t which = 0; which < kBackgrounds; which++) {
    if (FindChain(part, which, cost) && chain_.length <= height) {
      return {Shape::Kind::kChain, part, part};
    }
  }
  Cuts lists[2];
  for (size_t i = 0, count = ListCuts(part, lists); i < count; i++) {
    for (size_t cut = lists[i].from; cut <= lists[i].to; cut++) {
      if (CutWithin(part, lists[i], cut, height, cost + 1) != cost) continue;
      return {Shape::Kind::kCut, MakePart(part.first, cut - 1, lists[i].lower_peeled),
              MakePart(cut, part.last, lists[i].upper_peeled)};
    }
  }
  return {Shape::Kind::kPeel, Peel(part), part};
}

NodeId TreeSearch::Build(DecisionGraph* graph, Operand operand, uint32_t height) {
  graph_ = graph;
  operand_ = operand;
  return Build(Everything(), height);
}

NodeId TreeSearch::Build(Part part, uint32_t height) {
  Shape shape = FindShape(part, height);
  switch (shape.kind) {
    case Shape::Kind::kRun:
      return runs_[part.first].target;
    case Shape::Kind::kRest:
      return Build(shape.lower, height);
    case Shape::Kind::kChain:
      return BuildChain();
    case Shape::Kind::kPeel: {
      const Run& heaviest = runs_[Heaviest(part)];
      NodeId others = Build(shape.lower, height - 1);
      return graph_->Equal(operand_, heaviest.peak, heaviest.target, others);
    }
    case Shape::Kind::kCut: {
      NodeId upper = Build(shape.upper, height - 1);
      NodeId lower = Build(shape.lower, height - 1);
      return graph_->AtLeast(operand_, runs_[shape.upper.first].first, upper, lower);
    }
  }
  return 0;
}

NodeId TreeSearch::BuildChain() {
  NodeId node = chain_.background;
  for (size_t i = chain_.length; i-- > 0;) {
    const Run& run = runs_[chain_.tested[i]];
    node = graph_->Equal(operand_, run.first, run.target, node);
  }
  return node;
}

}  // namespace seccomp_ts
