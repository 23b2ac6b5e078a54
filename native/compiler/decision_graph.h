// The decision graph: what a filter decides, before anything is said of registers or addresses.
//
// A node names what it looks at and never what the accumulator holds, so two subprograms with the
// same meaning are one node wherever they are reached from; the assembler works out the loads.
#ifndef SECCOMP_TS_NATIVE_COMPILER_DECISION_GRAPH_H_
#define SECCOMP_TS_NATIVE_COMPILER_DECISION_GRAPH_H_

#include <linux/seccomp.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "interner.h"

namespace seccomp_ts {

constexpr uint32_t kAllBits = UINT32_MAX;

// A 32-bit word of struct seccomp_data (linux/seccomp.h), seen through a mask.
struct Operand {
  uint32_t offset;
  uint32_t mask;
};

inline bool operator==(Operand a, Operand b) { return a.offset == b.offset && a.mask == b.mask; }
inline bool operator!=(Operand a, Operand b) { return !(a == b); }

constexpr Operand kNumberOperand = {offsetof(seccomp_data, nr), kAllBits};
constexpr Operand kArchOperand = {offsetof(seccomp_data, arch), kAllBits};

// The words of an argument. Struct seccomp_data has the byte order of the machine that the filter
// runs on, and we compile for the one we run on.
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "x86-64 and arm64 are little-endian");
constexpr uint32_t LowWord(uint32_t argument) {
  return static_cast<uint32_t>(offsetof(seccomp_data, args)) + 8 * argument;
}
constexpr uint32_t HighWord(uint32_t argument) { return LowWord(argument) + 4; }

using NodeId = uint32_t;

struct Node {
  enum class Kind : uint32_t {
    kReturn,   // `value` is the verdict
    kEqual,    // operand == value
    kAtLeast,  // operand >= value
    kAnyBit,   // (operand & value) != 0
  };

  Kind kind;
  Operand operand;
  uint32_t value;
  NodeId then;
  NodeId otherwise;

  bool IsReturn() const { return kind == Kind::kReturn; }
};

// Equal nodes get equal ids, and a node's successors have smaller ids than the node: going down the
// ids is going along the edges.
class DecisionGraph {
 public:
  NodeId Return(uint32_t action);

  // The node that decides the test, in its cheapest form; no test at all if the outcome is certain.
  NodeId Equal(Operand operand, uint32_t value, NodeId then, NodeId otherwise);
  NodeId AtLeast(Operand operand, uint32_t value, NodeId then, NodeId otherwise);

  const Node& operator[](NodeId id) const { return nodes_[id]; }
  size_t size() const { return nodes_.size(); }

 private:
  NodeId AnyBit(uint32_t offset, uint32_t bits, NodeId then, NodeId otherwise);
  NodeId Add(const Node& node);

  std::vector<Node> nodes_;
  Interner ids_;
};

}  // namespace seccomp_ts

#endif  // SECCOMP_TS_NATIVE_COMPILER_DECISION_GRAPH_H_
