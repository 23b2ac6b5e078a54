// Turns a decision graph into instructions: which nodes must load, where each block lies, and how a
// conditional jump, which reaches 255 instructions, gets further.
#ifndef SECCOMP_TS_NATIVE_COMPILER_ASSEMBLER_H_
#define SECCOMP_TS_NATIVE_COMPILER_ASSEMBLER_H_

#include <linux/filter.h>

#include <cstdint>
#include <vector>

#include "decision_graph.h"

namespace seccomp_ts {

// One node's instructions: [LD] [AND] and the jump, or a RET. Who comes with the right word in the
// accumulator enters behind the load.
struct Block {
  NodeId node = 0;
  bool reached = false;
  bool loads = false;
  bool masks = false;
  // The mask through which the accumulator shows the operand's word when the jump is taken.
  uint32_t held_mask = kAllBits;

  uint32_t Size() const { return 1u + (loads ? 1 : 0) + (masks ? 1 : 0); }
};

// The blocks of everything that `root` reaches, by node id.
std::vector<Block> PlanBlocks(const DecisionGraph& graph, NodeId root);

// The program. It may be longer than the kernel takes.
std::vector<sock_filter> Assemble(const DecisionGraph& graph, const std::vector<Block>& blocks,
                                  NodeId root);

}  // namespace seccomp_ts

#endif  // SECCOMP_TS_NATIVE_COMPILER_ASSEMBLER_H_
