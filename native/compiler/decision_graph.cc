#include "decision_graph.h"

namespace seccomp_ts {
namespace {

constexpr bool IsPowerOfTwo(uint32_t value) { return value != 0 && (value & (value - 1)) == 0; }

}  // namespace

NodeId DecisionGraph::Return(uint32_t action) {
  return Add({Node::Kind::kReturn, {0, 0}, action, 0, 0});
}

NodeId DecisionGraph::Equal(Operand operand, uint32_t value, NodeId then, NodeId otherwise) {
  if (then == otherwise) return then;
  if ((value & ~operand.mask) != 0) return otherwise;
  // JSET looks through its own mask, which saves the AND.
  if (operand.mask != kAllBits) {
    if (value == 0) return AnyBit(operand.offset, operand.mask, otherwise, then);
    if (IsPowerOfTwo(operand.mask)) return AnyBit(operand.offset, operand.mask, then, otherwise);
  }
  return Add({Node::Kind::kEqual, operand, value, then, otherwise});
}

NodeId DecisionGraph::AtLeast(Operand operand, uint32_t value, NodeId then, NodeId otherwise) {
  if (then == otherwise || value == 0) return then;
  if (value > operand.mask) return otherwise;
  if (value == 1) return Equal(operand, 0, otherwise, then);
  if (value == operand.mask) return Equal(operand, value, then, otherwise);
  // At least 2^n: one of the bits from n up is set.
  if (operand.mask != kAllBits && IsPowerOfTwo(value)) {
    return AnyBit(operand.offset, operand.mask & ~(value - 1), then, otherwise);
  }
  return Add({Node::Kind::kAtLeast, operand, value, then, otherwise});
}

NodeId DecisionGraph::AnyBit(uint32_t offset, uint32_t bits, NodeId then, NodeId otherwise) {
  return Add({Node::Kind::kAnyBit, {offset, kAllBits}, bits, then, otherwise});
}

NodeId DecisionGraph::Add(const Node& node) {
  const uint32_t words[] = {static_cast<uint32_t>(node.kind),
                            node.operand.offset,
                            node.operand.mask,
                            node.value,
                            node.then,
                            node.otherwise};
  NodeId id = ids_.Intern(words, sizeof(words) / sizeof(words[0]));
  if (id == nodes_.size()) nodes_.push_back(node);
  return id;
}

}  // namespace seccomp_ts
