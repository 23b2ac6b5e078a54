#include "assembler.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace seccomp_ts {
namespace {

constexpr uint32_t kNowhere = UINT32_MAX;

// jt and jf of struct sock_filter are bytes (linux/filter.h).
constexpr uint32_t kMaxConditionalJump = UINT8_MAX;

// Where a jump enters a block, by how much of the block's work is already done.
enum Entry : uint32_t { kAtLoad, kAtMask, kAtJump, kEntries };

Entry EntryFrom(const DecisionGraph& graph, const Block& from, const Block& to) {
  const Node& target = graph[to.node];
  if (target.IsReturn()) return kAtJump;
  if (graph[from.node].operand.offset != target.operand.offset) return kAtLoad;
  if (from.held_mask == to.held_mask) return kAtJump;
  // Bits that were masked away are gone, the rest can still be masked further.
  return (to.held_mask & ~from.held_mask) == 0 ? kAtMask : kAtLoad;
}

// Fills in what the accumulator holds in each block, which only a JSET leaves open: it sees through
// every mask that shows its bits, and takes what all its predecessors agree on.
class AccumulatorPlan {
 public:
  AccumulatorPlan(const DecisionGraph& graph, std::vector<Block>* blocks)
      : graph_(graph), blocks_(*blocks), incoming_(blocks->size()) {}

  // Predecessors come first, because their ids are greater.
  void Run(NodeId root) {
    Enter(nullptr, root);
    for (NodeId id = static_cast<NodeId>(blocks_.size()); id-- > 0;) {
      Block& block = blocks_[id];
      const Node& node = graph_[id];
      if (!block.reached || node.IsReturn()) continue;
      block.held_mask = HeldMask(node, incoming_[id]);
      Enter(&block, node.then);
      Enter(&block, node.otherwise);
    }
  }

 private:
  struct Incoming {
    uint32_t mask = kAllBits;
    bool any = false;
    bool agreed = true;
  };

  static uint32_t HeldMask(const Node& node, const Incoming& incoming) {
    if (node.kind != Node::Kind::kAnyBit) return node.operand.mask;
    bool shows_bits = (node.value & ~incoming.mask) == 0;
    return incoming.agreed && shows_bits ? incoming.mask : kAllBits;
  }

  void Enter(const Block* from, NodeId to) {
    blocks_[to].reached = true;
    Incoming& incoming = incoming_[to];
    bool same_word =
        from != nullptr && graph_[from->node].operand.offset == graph_[to].operand.offset;
    uint32_t mask = same_word ? from->held_mask : kAllBits;
    if (!same_word || (incoming.any && incoming.mask != mask)) incoming.agreed = false;
    incoming.mask = mask;
    incoming.any = true;
  }

  const DecisionGraph& graph_;
  std::vector<Block>& blocks_;
  std::vector<Incoming> incoming_;
};

// Loads and masks are there for those who enter before them.
void PlanEntry(Block* block, Entry entry) {
  if (entry == kAtLoad) block->loads = true;
  if (entry != kAtJump && block->held_mask != kAllBits) block->masks = true;
}

// Lays the blocks out from the end of the program to its start, so that every target has its place
// before the jumps to it are written. Addresses count from the end.
class Emitter {
 public:
  Emitter(const DecisionGraph& graph, const std::vector<Block>& blocks)
      : graph_(graph), blocks_(blocks), places_(blocks.size()), sizes_(TreeSizes()) {}

  std::vector<sock_filter> Run(NodeId root) {
    EmitAll(root);
    std::reverse(code_.begin(), code_.end());
    return std::move(code_);
  }

 private:
  // Where a node can be entered. `nearest` may be a bridge or a copy, which lie closer.
  struct Place {
    uint32_t block[kEntries] = {kNowhere, kNowhere, kNowhere};
    uint32_t nearest[kEntries] = {kNowhere, kNowhere, kNowhere};
  };

  struct Target {
    NodeId node;
    Entry entry;
  };

  // Instructions below each node if nothing were shared; only comparisons are made with it.
  std::vector<uint32_t> TreeSizes() const {
    std::vector<uint32_t> sizes(blocks_.size(), 1);
    for (NodeId id = 0; id < blocks_.size(); id++) {
      const Node& node = graph_[id];
      if (!blocks_[id].reached || node.IsReturn()) continue;
      uint64_t size = uint64_t{blocks_[id].Size()} + sizes[node.then] + sizes[node.otherwise];
      sizes[id] = static_cast<uint32_t>(std::min<uint64_t>(size, UINT32_MAX));
    }
    return sizes;
  }

  // Successors first, and of two the larger first: what is emitted last lies next to the node, so
  // the jump that has to cross a subgraph crosses the smaller one.
  void EmitAll(NodeId root) {
    std::vector<NodeId> stack = {root};
    while (!stack.empty()) {
      NodeId id = stack.back();
      const Node& node = graph_[id];
      NodeId waiting = IsEmitted(id) ? kNowhere : NextSuccessor(node);
      if (waiting != kNowhere) {
        stack.push_back(waiting);
        continue;
      }
      stack.pop_back();
      if (!IsEmitted(id)) Emit(id);
    }
  }

  NodeId NextSuccessor(const Node& node) const {
    if (node.IsReturn()) return kNowhere;
    NodeId larger = node.then;
    NodeId smaller = node.otherwise;
    if (sizes_[smaller] > sizes_[larger]) std::swap(larger, smaller);
    if (!IsEmitted(larger)) return larger;
    return IsEmitted(smaller) ? kNowhere : smaller;
  }

  bool IsEmitted(NodeId id) const { return places_[id].block[kAtJump] != kNowhere; }

  void Emit(NodeId id) {
    const Node& node = graph_[id];
    if (node.IsReturn()) {
      EmitReturn(id);
    } else {
      EmitTest(id);
    }
  }

  void EmitReturn(NodeId id) {
    SetPlace(id, kAtJump, Append({BPF_RET | BPF_K, 0, 0, graph_[id].value}));
  }

  void EmitTest(NodeId id) {
    const Block& block = blocks_[id];
    const Node& node = graph_[id];
    Target then = {node.then, EntryFrom(graph_, block, blocks_[node.then])};
    Target otherwise = {node.otherwise, EntryFrom(graph_, block, blocks_[node.otherwise])};
    BringIntoReach(then, otherwise);
    uint32_t here = static_cast<uint32_t>(code_.size());
    uint8_t jump_true = static_cast<uint8_t>(here - 1 - Nearest(then));
    uint8_t jump_false = static_cast<uint8_t>(here - 1 - Nearest(otherwise));
    uint32_t place = Append({JumpCode(node.kind), jump_true, jump_false, node.value});
    SetPlace(id, kAtJump, place);
    if (block.masks) place = Append({BPF_ALU | BPF_AND | BPF_K, 0, 0, node.operand.mask});
    SetPlace(id, kAtMask, place);
    if (block.loads) place = Append({BPF_LD | BPF_W | BPF_ABS, 0, 0, node.operand.offset});
    SetPlace(id, kAtLoad, place);
  }

  static uint16_t JumpCode(Node::Kind kind) {
    if (kind == Node::Kind::kEqual) return BPF_JMP | BPF_JEQ | BPF_K;
    if (kind == Node::Kind::kAtLeast) return BPF_JMP | BPF_JGE | BPF_K;
    return BPF_JMP | BPF_JSET | BPF_K;
  }

  // A bridge for one of the targets takes the other one further away: hence the second look.
  void BringIntoReach(Target then, Target otherwise) {
    while (true) {
      if (!IsReachable(then)) {
        Bridge(then);
      } else if (!IsReachable(otherwise)) {
        Bridge(otherwise);
      } else {
        return;
      }
    }
  }

  bool IsReachable(Target target) const {
    return code_.size() - 1 - Nearest(target) <= kMaxConditionalJump;
  }

  // A RET is copied: as long as the jump to it, and one instruction less to execute.
  void Bridge(Target target) {
    if (graph_[target.node].IsReturn()) return EmitReturn(target.node);
    uint32_t here = static_cast<uint32_t>(code_.size());
    uint32_t distance = here - 1 - places_[target.node].block[target.entry];
    places_[target.node].nearest[target.entry] = Append({BPF_JMP | BPF_JA, 0, 0, distance});
  }

  uint32_t Nearest(Target target) const { return places_[target.node].nearest[target.entry]; }

  void SetPlace(NodeId id, Entry entry, uint32_t place) {
    places_[id].block[entry] = place;
    places_[id].nearest[entry] = place;
  }

  uint32_t Append(sock_filter instruction) {
    code_.push_back(instruction);
    return static_cast<uint32_t>(code_.size() - 1);
  }

  const DecisionGraph& graph_;
  const std::vector<Block>& blocks_;
  std::vector<Place> places_;
  std::vector<uint32_t> sizes_;
  std::vector<sock_filter> code_;  // last instruction first
};

}  // namespace

std::vector<Block> PlanBlocks(const DecisionGraph& graph, NodeId root) {
  std::vector<Block> blocks(graph.size());
  for (NodeId id = 0; id < blocks.size(); id++) blocks[id].node = id;
  AccumulatorPlan(graph, &blocks).Run(root);
  PlanEntry(&blocks[root], kAtLoad);
  for (const Block& block : blocks) {
    const Node& node = graph[block.node];
    if (!block.reached || node.IsReturn()) continue;
    for (NodeId next : {node.then, node.otherwise}) {
      PlanEntry(&blocks[next], EntryFrom(graph, block, blocks[next]));
    }
  }
  return blocks;
}

std::vector<sock_filter> Assemble(const DecisionGraph& graph, const std::vector<Block>& blocks,
                                  NodeId root) {
  return Emitter(graph, blocks).Run(root);
}

}  // namespace seccomp_ts
