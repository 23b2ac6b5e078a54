#include "tree_search.h"

#include <algorithm>
#include <utility>

namespace seccomp_ts {
namespace {

// Peeling is tried where the heaviest value has at least a third of the weight: below that, the
// test in front of everything else does not pay. What holds for an interval holds for each part of
// it that has the value.
constexpr uint32_t kPeelShare = 3;

}  // namespace

TreeSearch::TreeSearch(const Run* runs, size_t count, uint32_t test_weight)
    : runs_(runs), count_(count), test_weight_(test_weight) {
  weights_[0] = 0;
  for (size_t i = 0; i < count_; i++) weights_[i + 1] = weights_[i] + runs_[i].weight;
  FindHeaviest();
  FindChainEnds();
  FindReaches();
  for (size_t length = 1; length <= count_; length++) {
    for (size_t first = 0; first + length <= count_; first++) {
      Part part = {first, first + length - 1, false};
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

uint32_t TreeSearch::WeightOf(Part part) const {
  uint32_t weight = weights_[part.last + 1] - weights_[part.first];
  if (!part.peeled) return weight;
  const Run& heaviest = runs_[Heaviest(part)];
  return weight - (heaviest.first == heaviest.last ? heaviest.weight : heaviest.peak_weight);
}

// Of a test that all values pass.
uint32_t TreeSearch::OwnCost(Part part) const { return WeightOf(part) + test_weight_; }

bool TreeSearch::IsWorthPeeling(Part part) const {
  if (part.peeled) return false;
  uint32_t peak = runs_[Heaviest(part)].peak_weight;
  return peak != 0 && peak * kPeelShare >= weights_[part.last + 1] - weights_[part.first];
}

// Nothing is left of a run whose only value was peeled.
bool TreeSearch::IsGone(Part part, size_t run) const {
  return part.peeled && run == Heaviest(part) && runs_[run].first == runs_[run].last;
}

// At the end of an interval the run that is gone leaves a shorter interval.
bool TreeSearch::LosesEnd(Part part, Part* rest) const {
  if (IsGone(part, part.first)) {
    *rest = {part.first + 1, part.last, false};
    return true;
  }
  if (IsGone(part, part.last)) {
    *rest = {part.first, part.last - 1, false};
    return true;
  }
  return false;
}

// Whatever was peeled lies below the cut or above it.
size_t TreeSearch::ListCuts(Part part, Cuts (&lists)[2]) const {
  auto list = [this, part](bool lower_peeled, bool upper_peeled, size_t from, size_t to) {
    return Cuts{&plans_[lower_peeled].cost[Index(part.first, 0)],
                &plans_[upper_peeled].transposed[Index(part.last, 0)],
                lower_peeled,
                upper_peeled,
                from,
                to};
  };
  if (!part.peeled) {
    lists[0] = list(false, false, part.first + 1, part.last);
    return 1;
  }
  size_t heaviest = Heaviest(part);
  lists[0] = list(false, true, part.first + 1, heaviest);
  lists[1] = list(true, false, heaviest + 1, part.last);
  return 2;
}

// Most of the time goes here, and it has no branch to foresee.
uint32_t TreeSearch::CheapestCut(const Cuts& cuts) {
  const uint32_t* lower = cuts.lower - 1;
  const uint32_t* upper = cuts.upper;
  uint32_t least = kImpossible;
  for (size_t cut = cuts.from; cut <= cuts.to; cut++) {
    least = std::min(least, lower[cut] + upper[cut]);
  }
  return least;
}

void TreeSearch::Plan(Part part) {
  uint32_t cost = FindBest(part);
  Plans& plans = plans_[part.peeled];
  plans.cost[Index(part)] = cost;
  plans.transposed[Index(part.last, part.first)] = cost;
  plans.height[Index(part)] = kUnknownHeight;
}

uint32_t TreeSearch::FindBest(Part part) {
  Part rest;
  if (part.first == part.last) return 0;
  if (LosesEnd(part, &rest)) return plans_[0].cost[Index(rest)];
  Cuts lists[2];
  uint32_t best = kImpossible;
  for (size_t i = 0, count = ListCuts(part, lists); i < count; i++) {
    best = std::min(best, CheapestCut(lists[i]));
  }
  if (IsWorthPeeling(part)) best = std::min(best, plans_[1].cost[Index(part)]);
  best += OwnCost(part);
  for (size_t which = 0; which < kBackgrounds; which++) {
    if (FindChain(part, which, best)) best = chain_.cost;
  }
  return best;
}

// Neighbours differ, so what is left when a chain is through is where the first or the second run
// leads, or the third if the second is gone. False if that makes no chain, or none that costs
// `limit` or less.
bool TreeSearch::FindChain(Part part, size_t which, uint32_t limit) {
  size_t run = part.first + which;
  if (run > part.last || chain_ends_[part.first][which] <= part.last) return false;
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

// The height of the tree that Build finds first.
uint32_t TreeSearch::HeightOf(Part part) {
  uint8_t& height = plans_[part.peeled].height[Index(part)];
  if (height == kUnknownHeight) {
    Shape shape = FindShape(part, kUnbounded);
    if (shape.kind == Shape::Kind::kRun) height = 0;
    if (shape.kind == Shape::Kind::kChain) height = static_cast<uint8_t>(chain_.length);
    if (shape.kind == Shape::Kind::kRest) height = static_cast<uint8_t>(HeightOf(shape.lower));
    if (shape.kind == Shape::Kind::kPeel) height = static_cast<uint8_t>(1 + HeightOf(shape.lower));
    if (shape.kind == Shape::Kind::kCut) {
      height = static_cast<uint8_t>(1 + std::max(HeightOf(shape.lower), HeightOf(shape.upper)));
    }
  }
  return height;
}

uint32_t TreeSearch::CostWithin(Part part, uint32_t height) {
  if (height > kMaxHeight || HeightOf(part) <= height) {
    return plans_[part.peeled].cost[Index(part)];
  }
  if (height == 0 || !IsWithinReach(part, height)) return kImpossible;

  uint32_t key = static_cast<uint32_t>((height << 1 | part.peeled) << 16 | Index(part)) + 1;
  if (known_count_ * 2 >= known_.size()) GrowKnown();
  Known* known = FindKnown(key);
  if (known->key == key) return known->cost;
  uint32_t cost = SearchWithin(part, height);
  // The search may have moved the table.
  known = FindKnown(key);
  *known = {key, cost};
  known_count_++;
  return cost;
}

// Whether there is a tree of that height. True in doubt: a run that is gone takes its neighbours
// together.
bool TreeSearch::IsWithinReach(Part part, uint32_t height) const {
  if (height >= kHeights) return true;
  if (!IsGone(part, Heaviest(part))) return reaches_[height][part.first] > part.last;
  return part.last - part.first + 1 <= (size_t{3} << (height - 1)) + 1;
}

TreeSearch::Known* TreeSearch::FindKnown(uint32_t key) {
  size_t slot = key * 0x9e3779b1u >> 7 & (known_.size() - 1);
  while (known_[slot].key != 0 && known_[slot].key != key) slot = (slot + 1) & (known_.size() - 1);
  return &known_[slot];
}

void TreeSearch::GrowKnown() {
  std::vector<Known> old(known_.empty() ? 256 : known_.size() * 4, Known{0, 0});
  old.swap(known_);
  for (const Known& known : old) {
    if (known.key != 0) *FindKnown(known.key) = known;
  }
}

uint32_t TreeSearch::SearchWithin(Part part, uint32_t height) {
  Part rest;
  if (LosesEnd(part, &rest)) return CostWithin(rest, height);
  uint32_t best = kImpossible;
  for (size_t which = 0; which < kBackgrounds; which++) {
    if (FindChain(part, which, best) && chain_.length <= height) best = chain_.cost;
  }
  uint32_t own = OwnCost(part);
  if (IsWorthPeeling(part)) best = std::min(best, own + CostWithin(Peel(part), height - 1));
  Cuts lists[2];
  for (size_t i = 0, count = ListCuts(part, lists); i < count; i++) {
    for (size_t cut = lists[i].from; cut <= lists[i].to; cut++) {
      // A bound makes nothing cheaper.
      uint32_t upper_at_least = lists[i].upper[cut];
      if (own + lists[i].lower[cut - 1] + upper_at_least >= best) continue;
      Part lower = {part.first, cut - 1, lists[i].lower_peeled};
      Part upper = {cut, part.last, lists[i].upper_peeled};
      if (!IsWithinReach(lower, height - 1)) break;
      if (!IsWithinReach(upper, height - 1)) continue;
      uint32_t cost = own + CostWithin(lower, height - 1);
      if (cost + upper_at_least >= best) continue;
      best = std::min(best, cost + CostWithin(upper, height - 1));
    }
  }
  return best;
}

// The shape at the root of a tree that has the known cost.
TreeSearch::Shape TreeSearch::FindShape(Part part, uint32_t height) {
  Part rest;
  if (part.first == part.last) return {Shape::Kind::kRun, part, part};
  if (LosesEnd(part, &rest)) return {Shape::Kind::kRest, rest, rest};
  uint32_t cost = CostWithin(part, height);
  for (size_t which = 0; which < kBackgrounds; which++) {
    if (FindChain(part, which, cost) && chain_.length <= height) {
      return {Shape::Kind::kChain, part, part};
    }
  }
  uint32_t own = OwnCost(part);
  Cuts lists[2];
  for (size_t i = 0, count = ListCuts(part, lists); i < count; i++) {
    for (size_t cut = lists[i].from; cut <= lists[i].to; cut++) {
      if (own + lists[i].lower[cut - 1] + lists[i].upper[cut] > cost) continue;
      Part lower = {part.first, cut - 1, lists[i].lower_peeled};
      Part upper = {cut, part.last, lists[i].upper_peeled};
      if (own + CostWithin(lower, height - 1) + CostWithin(upper, height - 1) == cost) {
        return {Shape::Kind::kCut, lower, upper};
      }
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
